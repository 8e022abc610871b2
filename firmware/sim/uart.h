// Reads the serial log: 8N1, `divisor` clocks a bit.
#pragma once
#include <string>

class Uart {
  public:
    explicit Uart(unsigned divisor) : divisor_(divisor) {}

    void sample(bool line) {
        if (bit_ < 0) {
            if (!line) bit_ = 0, wait_ = divisor_ + divisor_ / 2 - 1;  // to the middle of the first data bit
        } else if (--wait_ == 0) {
            wait_ = divisor_;
            if (bit_ < 8) {
                byte_ = (byte_ >> 1) | (line ? 0x80 : 0);
                bit_++;
            } else {
                text_ += char(byte_);
                bit_ = -1;
            }
        }
    }

    void reset() { bit_ = -1; }
    const std::string &text() const { return text_; }

  private:
    unsigned divisor_, wait_ = 0, byte_ = 0;
    int bit_ = -1;
    std::string text_;
};
