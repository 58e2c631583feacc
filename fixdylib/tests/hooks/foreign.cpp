// Exceptions that are not Rust's: thrown inside a hooked method, caught above the hook.

typedef void *Id;
typedef const void *Sel;

static void (*throw_object)(Id);

extern "C" void use_objc_throw(void (*function)(Id)) { throw_object = function; }

extern "C" void throw_cpp(Id, Sel) { throw 42; }

extern "C" void throw_objc(Id self, Sel) { throw_object(self); }

// 42 if the number was caught, 1 for anything else, 0 if nothing was thrown.
extern "C" int call_and_catch(void (*method)(Id, Sel), Id self, Sel selector) {
    try {
        method(self, selector);
    } catch (int number) {
        return number;
    } catch (...) {
        return 1;
    }
    return 0;
}
