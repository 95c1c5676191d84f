// flags: -fno-exceptions -fno-rtti
// Each form that a listener may have, in a program without exceptions and without RTTI.
#include "listeners.cpp"
