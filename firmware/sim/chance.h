// Random stalls: true with a set probability, the same for the same seed.
#pragma once
#include <random>

class Chance {
  public:
    Chance(double probability, unsigned seed) : probability_(probability), random_(seed) {}
    bool operator()() { return probability_ > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < probability_; }

  private:
    double probability_;
    std::mt19937 random_;
};
