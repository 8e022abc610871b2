// The host's ends of the two streams: frames of bytes in, result frames of words out.
#pragma once
#include <cstdint>
#include <vector>

#include "chance.h"

struct Frame {
    std::vector<uint8_t> bytes;
    bool stops;  // no TLAST: the frame ends in the middle; the next begins once the chip has said so
};

// Offers the frames beat by beat; every beat waits for the chip, or (period > 0) is there for one clock whatever it does.
template <unsigned BEAT> class Source {
  public:
    Source(std::vector<Frame> frames, unsigned period, Chance gap) : frames_(std::move(frames)), period_(period), gap_(gap) {}

    template <class Top> void drive(Top &top, uint64_t clock) {
        const bool due = period_ == 0 ? offered_ || !gap_() : clock % period_ == 0;
        top.s_valid_i = !silent_ && index_ < frames_.size() && due;
        top.s_data_i = 0, top.s_keep_i = 0, top.s_last_i = 0;
        if (!top.s_valid_i) return;
        const Frame &frame = frames_[index_];
        for (unsigned i = 0; i < BEAT && at_ + i < frame.bytes.size(); i++) {
            top.s_data_i |= uint32_t(frame.bytes[at_ + i]) << (8 * i);
            top.s_keep_i |= 1u << i;
        }
        top.s_last_i = at_ + BEAT >= frame.bytes.size() && !frame.stops;
    }

    template <class Top> void sample(const Top &top, uint64_t clock) {
        offered_ = top.s_valid_i && !top.s_ready_o;
        if (!top.s_valid_i || (period_ == 0 && !top.s_ready_o)) return;
        if (at_ == 0) began_.resize(index_ + 1), began_[index_] = clock;
        at_ += BEAT;
        if (at_ < frames_[index_].bytes.size()) return;
        silent_ = frames_[index_].stops;
        at_ = 0, index_++;
    }

    void answered() { silent_ = false; }
    void restart(size_t index) { index_ = index, at_ = 0, offered_ = false, silent_ = false; }
    uint64_t began(size_t index) const { return index < began_.size() ? began_[index] : 0; }

  private:
    std::vector<Frame> frames_;
    unsigned period_;
    Chance gap_;
    size_t index_ = 0, at_ = 0;
    bool offered_ = false, silent_ = false;
    std::vector<uint64_t> began_;
};

struct Result {
    uint64_t clock;  // of the last word
    std::vector<uint32_t> words;
    std::vector<uint64_t> counters;
};

class Sink {
  public:
    explicit Sink(Chance stall) : stall_(stall) {}
    template <class Top> void drive(Top &top) { top.m_ready_i = !stall_(); }

    // Whether this clock brought the last word of a result frame.
    template <class Top> bool sample(const Top &top, uint64_t clock) {
        if (!top.m_valid_o || !top.m_ready_i) return false;
        words_.push_back(top.m_data_o);
        if (!top.m_last_o) return false;
        results_.push_back({clock, words_, {}});
        words_.clear();
        return true;
    }

    void reset() { words_.clear(); }
    void count(std::vector<uint64_t> counters) { results_.back().counters = std::move(counters); }
    const std::vector<Result> &results() const { return results_; }

  private:
    Chance stall_;
    std::vector<uint32_t> words_;
    std::vector<Result> results_;
};
