// flags: -fno-exceptions -fno-rtti
// Each form that a listener may have, in a program without exceptions and type information.
#include "listeners.cpp"
