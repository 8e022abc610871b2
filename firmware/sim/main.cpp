// Runs the Verilated chip with its firmware: a weight image in the external memory, frames in, result frames out.
// Writes results as records: clock of the first beat, clock of the last word, five counters of the accelerator (64 bits
// each), count of words (32 bits), words. Prints clocks, pins and the log.
#include <cstdio>
#include <memory>

#include "Vtsm_soc.h"
#include "Vtsm_soc___024root.h"
#include "options.h"
#include "chip.h"  // of this build: BEAT_BYTES, UART_DIVISOR, and where Verilator keeps what Trace reads
#include "uart.h"
#include "verilated.h"

namespace {

constexpr unsigned RESET_CLOCKS = 4;

class System {
  public:
    System(const Options &options, FILE *trace_file)
        : options_(options), context_(new VerilatedContext), top_(new Vtsm_soc(context_.get())),
          memory_(options.image.empty() ? std::vector<uint8_t>() : read_file(options.image), options.flips, options.latency,
                  Chance(options.stalls, options.seed)),
          source_(options.frames.empty() ? std::vector<Frame>() : read_frames(options.frames), options.period,
                  Chance(options.stalls, options.seed + 1)),
          sink_(Chance(options.stalls, options.seed + 2)), uart_(UART_DIVISOR),
          trace_(options.trace_list.empty() ? std::vector<Region>() : read_regions(options.trace_list), trace_file) {
        top_->clk_i = 0, top_->rst_ni = 1, top_->eval();
    }

    void run() {
        reset();
        while (clock_ < options_.clocks && !exited_ && (options_.expected == 0 || sink_.results().size() < options_.expected)) {
            for (uint64_t at : options_.resets)
                if (at == clock_) reset();
            step();
        }
    }

    void write_results(FILE *file) const {
        for (size_t i = 0; i < sink_.results().size(); i++) {
            const Result &result = sink_.results()[i];
            const uint64_t began = source_.began(i);
            const uint32_t words = uint32_t(result.words.size());
            std::fwrite(&began, sizeof began, 1, file);
            std::fwrite(&result.clock, sizeof result.clock, 1, file);
            std::fwrite(result.counters.data(), sizeof(uint64_t), result.counters.size(), file);
            std::fwrite(&words, sizeof words, 1, file);
            std::fwrite(result.words.data(), sizeof(uint32_t), words, file);
        }
    }

    // Lines "descriptor first-clock last-clock", in the order of time.
    void write_spans(FILE *file) const {
        for (const Span &span : trace_.spans())
            std::fprintf(file, "%u %llu %llu\n", span.number, (unsigned long long)span.begin, (unsigned long long)span.end);
    }

    void print() const {
        std::printf("clocks %llu\nexit %d %u\nerror %u\nirq %u\n", (unsigned long long)clock_, exited_, exit_code_,
                    unsigned(top_->error_o), unsigned(top_->irq_o));
        std::printf("%s", uart_.text().c_str());
    }

  private:
    // What was in flight is lost; the host begins again with the first frame that has no answer.
    void reset() {
        top_->rst_ni = 0;
        memory_.reset(), sink_.reset(), uart_.reset(), trace_.reset();
        source_.restart(sink_.results().size());
        for (unsigned i = 0; i < RESET_CLOCKS; i++) tick();
        top_->rst_ni = 1;
    }

    void tick() {
        top_->clk_i = 0, top_->eval();
        top_->clk_i = 1, top_->eval();
        clock_++;
    }

    void step() {
        memory_.drive(*top_, clock_), source_.drive(*top_, clock_), sink_.drive(*top_);
        top_->clk_i = 0, top_->eval();  // what is asked and answered in this clock
        memory_.sample(*top_), source_.sample(*top_, clock_), uart_.sample(top_->uart_tx_o);
        const bool answer = sink_.sample(*top_, clock_);
        if (top_->exit_valid_o) exited_ = true, exit_code_ = top_->exit_code_o;
        top_->clk_i = 1, top_->eval();
        clock_++;
        const auto byte = [this](uint32_t address) { return activation(*top_->rootp, address); };
        trace_.clock(accelerator(*top_->rootp), clock_, byte);
        if (answer) sink_.count(trace_.end_of_frame(byte)), source_.answered();
    }

    const Options &options_;
    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Vtsm_soc> top_;
    Memory memory_;
    Source<BEAT_BYTES> source_;
    Sink sink_;
    Uart uart_;
    Trace trace_;
    uint64_t clock_ = 0;
    bool exited_ = false;
    uint32_t exit_code_ = 0;
};

FILE *create(const std::string &path) {
    FILE *file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw std::runtime_error("cannot write " + path);
    return file;
}

template <class Writer> void write(const std::string &path, Writer writer) {
    if (path.empty()) return;
    FILE *file = create(path);
    writer(file);
    std::fclose(file);
}

}  // namespace

int main(int count, char **words) {
    try {
        const Options options = read_options(count, words);
        FILE *trace = options.trace.empty() ? nullptr : create(options.trace);
        System system(options, trace);
        system.run();
        if (trace != nullptr) std::fclose(trace);
        write(options.results, [&](FILE *file) { system.write_results(file); });
        write(options.spans, [&](FILE *file) { system.write_spans(file); });
        system.print();
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 2;
    }
}
