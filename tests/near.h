/* For tests of figures that are not whole. */
#ifndef DMPFEED_TESTS_NEAR_H
#define DMPFEED_TESTS_NEAR_H

#include <math.h>

#define assert_near(figure, expected, most) assert_true(fabs((figure) - (expected)) <= (most))

#endif
