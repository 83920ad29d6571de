/* The national health identity. Any thread. */
#include "document/ins.h"

enum { NUMBER_DIGITS = 13, KEY_MODULUS = 97 };

/* The two first are real identities, the two others are not. */
static const struct {
	const char *oid;
	bool real;
} domains[] = {
	{ INS_OID_NIR, true },
	{ INS_OID_NIA, true },
	{ INS_OID_TEST, false },
	{ INS_OID_DEMO, false },
};

const char *environment_text(enum environment environment)
{
	switch (environment) {
	case ENVIRONMENT_PRODUCTION:
		return "production";
	case ENVIRONMENT_TEST:
		return "test";
	case ENVIRONMENT_REHEARSAL:
		return "rehearsal";
	}
	return "";
}

bool ins_is_domain(const char *oid)
{
	return ins_domain_allowed(oid, ENVIRONMENT_REHEARSAL);
}

bool ins_domain_allowed(const char *oid, enum environment environment)
{
	for (size_t i = 0; i < length_of(domains); i++) {
		if (strcmp(domains[i].oid, oid) != 0)
			continue;
		switch (environment) {
		case ENVIRONMENT_PRODUCTION:
			return domains[i].real;
		case ENVIRONMENT_TEST:
			return !domains[i].real;
		case ENVIRONMENT_REHEARSAL:
			return true;
		}
	}
	return false;
}

/* What stands for a department of Corsica in the number that the key is made of; "" elsewhere. */
static const char *corsica(const char *number)
{
	if (number[5] != '2')
		return "";
	return number[6] == 'A' ? "19" : number[6] == 'B' ? "18" : "";
}

int ins_check(const char *number, struct err *err)
{
	char digits[INS_DIGITS + 1] = "";
	uint64_t value, key;

	if (strlen(number) != INS_DIGITS)
		return err_refuse(err, REASON_INS_INVALID, "",
				  "the INS has %zu characters instead of %d", strlen(number),
				  INS_DIGITS);
	memcpy(digits, number, INS_DIGITS);
	memcpy(digits + 5, corsica(number), strlen(corsica(number)));
	if (!slice_to_u64((struct slice){ digits, NUMBER_DIGITS }, UINT64_MAX, &value) ||
	    !slice_to_u64(slice_of(digits + NUMBER_DIGITS), KEY_MODULUS, &key))
		return err_refuse(err, REASON_INS_INVALID, "",
				  "the INS holds something else than digits, or a key above %d",
				  KEY_MODULUS);
	if (key != KEY_MODULUS - value % KEY_MODULUS)
		return err_refuse(
			err, REASON_INS_INVALID, "",
			"the key of the INS (its last two digits) does not fit its number");
	return 0;
}
