// Follows the accelerator through a frame: when each compute descriptor starts and ends, the counters of all its runs, and
// copies of regions of the activation memory. A region "number address bytes" is copied when descriptor `number` is about
// to write, counted over all runs of a frame from 0; the number of all descriptors means the frame's end.
#pragma once
#include <cstdint>
#include <cstdio>
#include <vector>

struct Region {
    uint32_t number, address, bytes;
};

struct Span {
    uint32_t number;
    uint64_t begin, end;  // clocks
};

// What a clock shows: tsm_compute's state (1 waits to start descriptor `index`, 2 runs it, 3 empties after the last) and
// tsm_csr's counters.
struct Accelerator {
    unsigned state, index, finished;
    bool busy;
    uint32_t counters[5];  // cycles, active, stalls, load waits, loaded
};

class Trace {
  public:
    Trace(std::vector<Region> regions, FILE *file) : regions_(std::move(regions)), file_(file) {}

    // After every clock; `byte` reads the activation memory.
    template <class Byte> void clock(const Accelerator &now, uint64_t clock, Byte byte) {
        if (before_.state == 1 && now.state == 2) {
            dump(base_ + now.index, byte);
            spans_.push_back({base_ + now.index, clock, 0});
        }
        if (now.finished > before_.finished && !spans_.empty()) spans_.back().end = clock;
        if (before_.state == 3 && now.state == 0) base_ += before_.index;
        if (before_.busy && !now.busy)
            for (unsigned i = 0; i < 5; i++) sums_[i] += now.counters[i];
        before_ = now;
    }

    // The counters of the frame's runs.
    template <class Byte> std::vector<uint64_t> end_of_frame(Byte byte) {
        dump(base_, byte);
        base_ = 0;
        std::vector<uint64_t> sums(sums_, sums_ + 5);
        for (uint64_t &sum : sums_) sum = 0;
        return sums;
    }

    void reset() {
        base_ = 0, before_ = Accelerator();
        for (uint64_t &sum : sums_) sum = 0;
    }
    const std::vector<Span> &spans() const { return spans_; }

  private:
    template <class Byte> void dump(uint32_t number, Byte byte) {
        if (file_ == nullptr) return;
        for (const Region &region : regions_)
            for (uint32_t i = 0; region.number == number && i < region.bytes; i++) std::fputc(byte(region.address + i), file_);
    }

    std::vector<Region> regions_;
    FILE *file_;
    Accelerator before_ = Accelerator();
    uint32_t base_ = 0;
    uint64_t sums_[5] = {};
    std::vector<Span> spans_;
};
