// The command line of the system runner.
#pragma once
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory.h"
#include "streams.h"
#include "trace.h"

struct Options {
    std::string image, frames, results, trace_list, trace, spans;
    std::vector<Flip> flips;
    std::vector<uint64_t> resets;  // clocks
    unsigned seed = 1, period = 0, latency = 4, expected = 0;
    double stalls = 0;
    uint64_t clocks = 1000000000;  // give up after so many
};

inline std::vector<uint8_t> read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Records of a length, a flag (1: the frame stops without TLAST) and the frame's bytes.
inline std::vector<Frame> read_frames(const std::string &path) {
    const std::vector<uint8_t> file = read_file(path);
    std::vector<Frame> frames;
    for (size_t at = 0; at + 8 <= file.size();) {
        auto word = [&](size_t i) {
            return uint32_t(file[i]) | uint32_t(file[i + 1]) << 8 | uint32_t(file[i + 2]) << 16 | uint32_t(file[i + 3]) << 24;
        };
        const uint32_t bytes = word(at), flags = word(at + 4);
        at += 8;
        if (bytes == 0 || bytes > file.size() - at) throw std::runtime_error("frame file " + path + " is cut");
        frames.push_back({{file.begin() + long(at), file.begin() + long(at + bytes)}, (flags & 1) != 0});
        at += bytes;
    }
    return frames;
}

inline std::vector<Region> read_regions(const std::string &path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::vector<Region> regions;
    for (Region region; file >> region.number >> region.address >> region.bytes;) regions.push_back(region);
    return regions;
}

inline Options read_options(int count, char **words) {
    Options options;
    for (int i = 1; i < count; i++) {
        const std::string name = words[i];
        if (name[0] == '+') continue;  // for Verilator
        if (++i == count) throw std::runtime_error(name + " wants a value");
        const std::string value = words[i];
        if (name == "--image") options.image = value;
        else if (name == "--frames") options.frames = value;
        else if (name == "--results") options.results = value;
        else if (name == "--trace-list") options.trace_list = value;
        else if (name == "--trace") options.trace = value;
        else if (name == "--spans") options.spans = value;
        else if (name == "--reset-at") options.resets.push_back(std::stoull(value));
        else if (name == "--seed") options.seed = unsigned(std::stoul(value));
        else if (name == "--period") options.period = unsigned(std::stoul(value));
        else if (name == "--latency") options.latency = unsigned(std::stoul(value));
        else if (name == "--expect") options.expected = unsigned(std::stoul(value));
        else if (name == "--stalls") options.stalls = std::stod(value);
        else if (name == "--clocks") options.clocks = std::stoull(value);
        else if (name == "--flip") {  // clock:offset:bit
            const size_t a = value.find(':'), b = value.rfind(':');
            if (a == b) throw std::runtime_error("--flip wants clock:offset:bit");
            options.flips.push_back({std::stoull(value), uint32_t(std::stoul(value.substr(a + 1))),
                                     uint32_t(std::stoul(value.substr(b + 1))), false});
        } else throw std::runtime_error("no option " + name);
    }
    return options;
}
