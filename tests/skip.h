/* Where a machine has not what a test needs, it says so and ends. cmocka's own skip() writes "not ok" with its reason
 * behind, which Meson takes at its word.
 */
#ifndef DMPFEED_TESTS_SKIP_H
#define DMPFEED_TESTS_SKIP_H

#define skip_because(...)                                                                          \
	do {                                                                                       \
		print_message("# skipped: " __VA_ARGS__);                                          \
		print_message("\n");                                                               \
		return;                                                                            \
	} while (0)

#endif
