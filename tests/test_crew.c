/* Whether the store can be written, and who tries it meanwhile. */
#include "store_fixture.h"

#include <event2/event.h>

#include "crew/crew.h"

static const struct err trouble = { .kind = ERR_RETRY, .text = "the disk is full" };
static const struct err none = { 0 };

/* A change that the writer cannot end before it is let go. */
struct gate {
	struct change change;
	int ends[2];
	bool passed;
};

static int wait_at_gate(struct change *change, struct store *store, struct err *err)
{
	char byte;

	(void)store;
	(void)err;
	return read(container_of(change, struct gate, change)->ends[0], &byte, 1) == 1 ? 0 : -1;
}

static void pass_gate(struct job *job)
{
	container_of(container_of(job, struct change, job), struct gate, change)->passed = true;
}

static void deliver(evutil_socket_t fd, short what, void *mailbox)
{
	(void)fd;
	(void)what;
	mailbox_deliver(mailbox);
}

static void turn_for(struct event_base *loop, int ms)
{
	const struct timeval time = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(loop, &time);
	event_base_dispatch(loop);
}

/* The store answers slowly, and trouble comes and goes before it has: one try at a time. */
static void the_store_is_tried_once_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct mailbox *mailbox = mailbox_new();
	struct crew crew = { .loop = event_base_new(), .writer = writer_new(&f->store, mailbox) };
	struct event *mail =
		event_new(crew.loop, mailbox_fd(mailbox), EV_READ | EV_PERSIST, deliver, mailbox);
	struct gate gate = { .change = { .err = { 0 } } };

	event_add(mail, NULL);
	assert_int_equal(pipe(gate.ends), 0);
	crew_start(&crew);
	crew_on_writer(&crew, &gate.change, wait_at_gate, pass_gate);
	crew_note_store(&crew, &trouble);
	turn_for(crew.loop, 1200); /* a try waits behind the gate */
	crew_note_store(&crew, &none);
	crew_note_store(&crew, &trouble);
	turn_for(crew.loop, 1200);
	assert_string_equal(crew.store_trouble, "the disk is full");

	assert_int_equal(write(gate.ends[1], "x", 1), 1);
	for (int i = 0; i < 200 && crew.store_trouble[0] != '\0'; i++)
		turn_for(crew.loop, 20);
	assert_true(gate.passed);
	assert_string_equal(crew.store_trouble, "");

	writer_free(&crew.writer);
	crew_done(&crew);
	event_free(mail);
	mailbox_free(&mailbox);
	event_base_free(crew.loop);
	close(gate.ends[0]);
	close(gate.ends[1]);
}

static const struct err damage = { .kind = ERR_HALT, .text = "page 7 is damaged" };

static void assert_told(const struct crew *crew, const char *words, bool is_damaged)
{
	assert_string_equal(crew->store_trouble, words);
	assert_int_equal(crew->store_damaged, is_damaged);
}

/* A write beside the damage passes, one on it does not: whoever asks hears one thing all the time. */
static void damage_is_not_mended_by_what_passes_beside_it(void **state)
{
	struct crew crew = { .loop = event_base_new() };

	(void)state;
	crew_start(&crew);
	crew_note_store(&crew, &trouble);
	assert_told(&crew, trouble.text, false);
	crew_note_store(&crew, &damage);
	for (int i = 0; i < 5; i++) {
		crew_note_store(&crew, &none);
		assert_told(&crew, damage.text, true);
		crew_note_store(&crew, &trouble);
		assert_told(&crew, damage.text, true);
	}
	assert_true(event_pending(crew.probe_again, EV_TIMEOUT, NULL));

	crew.damage_met_ms -= CREW_DAMAGE_LASTS_MS - 1000;
	crew_note_store(&crew, &damage); /* again: so long from now */
	crew.damage_met_ms -= CREW_DAMAGE_LASTS_MS - 1000;
	crew_note_store(&crew, &none);
	assert_told(&crew, damage.text, true);
	crew.damage_met_ms -= 1000;
	crew_note_store(&crew, &none);
	assert_told(&crew, "", false);
	crew_note_store(&crew, &trouble);
	assert_told(&crew, trouble.text, false);
	crew_note_store(&crew, &none);
	assert_told(&crew, "", false);

	crew_done(&crew);
	event_base_free(crew.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_store_is_tried_once_at_a_time),
		cmocka_unit_test(damage_is_not_mended_by_what_passes_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
