// flags: -fno-exceptions -fno-rtti
// The same in a program without exceptions and without RTTI.
#include "requests.cpp"
