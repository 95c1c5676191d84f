// The mark of what a shared tine exports.
#pragma once

// The library is compiled with hidden visibility, so a program finds only what has this mark: the
// classes and functions that lib/ defines, and the types that the library throws. Inline functions
// and templates need no mark, because the program compiles them itself.
#define TINE_EXPORT [[gnu::visibility("default")]]
