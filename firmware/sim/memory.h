// The external memory: bursts of words after a latency, read only, with bits that flip at a clock.
#pragma once
#include <cstdint>
#include <vector>

#include "chance.h"

struct Flip {
    uint64_t clock;
    uint32_t offset, bit;
    bool done;
};

class Memory {
  public:
    Memory(std::vector<uint8_t> bytes, std::vector<Flip> flips, unsigned latency, Chance stall)
        : bytes_(std::move(bytes)), flips_(std::move(flips)), latency_(latency), stall_(stall) {}

    template <class Top> void drive(Top &top, uint64_t clock) {
        for (Flip &flip : flips_) {
            if (flip.done || flip.clock > clock || flip.offset >= bytes_.size()) continue;
            bytes_[flip.offset] ^= uint8_t(1u << flip.bit);
            flip.done = true;
        }
        if (wait_ > 0) wait_--;
        const bool go = offered_ || !stall_();
        top.ext_req_ready_i = left_ == 0 && go;
        top.ext_rsp_valid_i = left_ > 0 && wait_ == 0 && go;
        top.ext_rsp_data_i = top.ext_rsp_valid_i ? word(address_) : 0;
    }

    template <class Top> void sample(const Top &top) {
        offered_ = top.ext_rsp_valid_i && !top.ext_rsp_ready_o;  // a word that is offered stays
        if (top.ext_rsp_valid_i && top.ext_rsp_ready_o) address_ += 4, left_--;
        if (top.ext_req_valid_o && top.ext_req_ready_i) {
            address_ = top.ext_req_addr_o, left_ = top.ext_req_len_o, wait_ = latency_;
        }
    }

    void reset() { left_ = 0, offered_ = false; }

  private:
    uint32_t word(uint32_t address) const {
        uint32_t value = 0;
        for (uint32_t i = 0; i < 4 && address + i < bytes_.size(); i++) value |= uint32_t(bytes_[address + i]) << (8 * i);
        return value;
    }

    std::vector<uint8_t> bytes_;
    std::vector<Flip> flips_;
    unsigned latency_, wait_ = 0;
    uint32_t address_ = 0, left_ = 0;
    bool offered_ = false;
    Chance stall_;
};
