/* Vector table and start of a Cortex-M program that runs its self-test under qemu and talks through semihosting. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t stack_top, bss_start, bss_end;
extern void initialise_monitor_handles(void); /* newlib's semihosting: opens standard output */
extern int main(void);

void _init(void)
{
}

void _fini(void)
{
}

void reset(void)
{
    for (uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0;
    }
    initialise_monitor_handles();
    exit(main());
}

/* Any fault ends the program with a status that no self-test has. */
static void fault(void)
{
    _Exit(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))&stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};
