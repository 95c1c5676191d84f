// flags: -fno-exceptions -fno-rtti
// Every form that a listener may have, in a program without exceptions and without RTTI.
#include "listeners.cpp"
