/* What a person may order of a document. Pure. */
#include "queue/order.h"

static const struct {
	const char *text;
	struct order_aim aim;
} orders[ORDER_COUNT] = {
	[ORDER_HOLD] = { "hold", { "held", DOC_HELD, REASON_MANUAL_HOLD } },
	[ORDER_RELEASE] = { "release", { "released", DOC_QUEUED, REASON_NONE } },
	[ORDER_RETRY] = { "retry", { "retried", DOC_QUEUED, REASON_NONE } },
	[ORDER_CANCEL] = { "cancel", { "cancelled", DOC_CANCELLED, REASON_WITHDRAWN } },
};

const char *order_text(enum order order)
{
	return orders[order].text;
}

bool order_parse(struct slice text, enum order *ret_order)
{
	for (enum order order = 0; order < ORDER_COUNT; order++) {
		if (slice_is(text, orders[order].text)) {
			*ret_order = order;
			return true;
		}
	}
	return false;
}

struct order_aim order_aim(enum order order)
{
	return orders[order].aim;
}

/* ---- the table ---- */

/* clang-format off */
enum answer {
	YES,
	ALREADY_HELD, NOT_HELD, IS_HELD, IS_SENDING, HAS_ENDED, DMP_HAS_IT, NEED_NOT_GO, IS_PURGED,
	LACKS_INS, IS_ANOTHERS, OTHER_IS_SENDING,
	/* what only a person can answer for */
	FIRST_FORCED,
	NOT_QUALIFIED = FIRST_FORCED, OUT_OF_ORDER, WAS_WITHDRAWN, IN_DOUBT, IS_OPPOSED, OTHER_IN_DOUBT, OTHER_HAS_GONE,
	ANSWER_COUNT
};

static const struct order_refusal refusals[ANSWER_COUNT] = {
	[ALREADY_HELD] = { "It is held already.", "Il est déjà retenu." },
	[NOT_HELD] = { "It is not held.", "Il n'est pas retenu." },
	[IS_HELD] = { "It is held: release it.", "Il est retenu : le libérer." },
	[IS_SENDING] = { "It is being sent: try again in a moment.",
		"Son envoi est en cours : réessayer dans un instant." },
	[HAS_ENDED] = { "Its way has ended.", "Son parcours est terminé." },
	[DMP_HAS_IT] = { "The DMP has it: it can only be deleted there.",
		"Le DMP l'a : il ne peut plus qu'y être supprimé." },
	[NEED_NOT_GO] = { "It need not go.", "Il n'a pas à partir." },
	[IS_PURGED] = { "Its body was purged: there is nothing left to send.",
		"Son contenu a été purgé : il ne reste rien à envoyer." },
	[LACKS_INS] = { "It carries no INS: the source must send it again with the INS.",
		"Il ne porte pas d'INS : la source doit le renvoyer avec l'INS." },
	[IS_ANOTHERS] = {
		"The patient's identity says otherwise: it leaves when the identity is again what it says.",
		"L'identité du patient dit autre chose : il partira si elle redevient ce qu'il porte." },
	[OTHER_IS_SENDING] = { "Its other form is being sent: try again in a moment.",
		"L'envoi de son autre forme est en cours : réessayer dans un instant." },
	[NOT_QUALIFIED] = {
		"The patient's identity is not qualified. Whoever has verified it may add --force.",
		"L'identité du patient n'est pas qualifiée. Qui l'a vérifiée peut ajouter --force." },
	[OUT_OF_ORDER] = {
		"What it follows has not been delivered. --force sends it out of order.",
		"Ce qu'il suit n'est pas transmis. --force l'envoie sans attendre son tour." },
	[WAS_WITHDRAWN] = {
		"It was withdrawn, or is not for the DMP. --force sends it all the same.",
		"Il a été retiré, ou n'est pas destiné au DMP. --force l'envoie malgré tout." },
	[IN_DOUBT] = {
		"An attempt was not answered: the DMP may have it. --force gives it up all the same.",
		"Une tentative est restée sans réponse : le DMP l'a peut-être. --force l'abandonne malgré tout." },
	[IS_OPPOSED] = {
		"The patient opposed it. --force sends it all the same, if they do not oppose it any more.",
		"Le patient s'y est opposé. --force l'envoie malgré tout, s'il ne s'y oppose plus." },
	[OTHER_IN_DOUBT] = {
		"Its other form is given up with it, and the DMP may have that. --force gives both up all the same.",
		"Son autre forme est abandonnée avec lui, et le DMP l'a peut-être. --force abandonne les deux malgré tout." },
	[OTHER_HAS_GONE] = {
		"Its other form has arrived: one would be changed in the DMP without the other. --force gives it up all the same.",
		"Son autre forme est arrivée : l'une changerait dans le DMP sans l'autre. --force l'abandonne malgré tout." },
};

static const enum answer answers[ORDER_COUNT][DOC_STATE_COUNT] = {
	/*                  held          queued    sending     delivered   refused    rejected   suppressed   cancelled */
	[ORDER_HOLD]    = { ALREADY_HELD, YES,      IS_SENDING, HAS_ENDED,  HAS_ENDED, HAS_ENDED, HAS_ENDED,   HAS_ENDED },
	[ORDER_RELEASE] = { YES,          NOT_HELD, NOT_HELD,   NOT_HELD,   NOT_HELD,  NOT_HELD,  NOT_HELD,    NOT_HELD },
	[ORDER_RETRY]   = { IS_HELD,      YES,      IS_SENDING, DMP_HAS_IT, YES,       YES,       NEED_NOT_GO, WAS_WITHDRAWN },
	[ORDER_CANCEL]  = { YES,          YES,      IS_SENDING, DMP_HAS_IT, YES,       YES,       HAS_ENDED,   HAS_ENDED },
};
/* clang-format on */

/* What the state alone does not tell. A document that a policy or its turn holds may be held by a
 * person as well; one whose identity waits may not, or releasing it would pass over the identity.
 */
static const struct {
	enum order order;
	enum doc_state state;
	enum reason reason;
	enum answer answer;
} by_reason[] = {
	{ ORDER_HOLD, DOC_HELD, REASON_POLICY_HOLD, YES },
	{ ORDER_HOLD, DOC_HELD, REASON_WAITING_PREDECESSOR, YES },
	{ ORDER_RELEASE, DOC_HELD, REASON_INS_NOT_QUALIFIED, NOT_QUALIFIED },
	{ ORDER_RELEASE, DOC_HELD, REASON_INS_NOT_IN_DOCUMENT, LACKS_INS },
	{ ORDER_RELEASE, DOC_HELD, REASON_INS_CHANGED, IS_ANOTHERS },
	{ ORDER_RELEASE, DOC_HELD, REASON_WAITING_PREDECESSOR, OUT_OF_ORDER },
	{ ORDER_RETRY, DOC_REFUSED, REASON_PATIENT_OPPOSED, IS_OPPOSED },
};

static enum answer answer_of(enum order order, const struct order_case *its)
{
	if (order == ORDER_RETRY && its->purged && answers[order][its->state] != DMP_HAS_IT)
		return IS_PURGED;
	if (order == ORDER_RELEASE && its->state == DOC_HELD && its->lacks_ins &&
	    its->reason == REASON_INS_NOT_QUALIFIED)
		return LACKS_INS;
	for (size_t i = 0; i < length_of(by_reason); i++)
		if (by_reason[i].state == its->state && by_reason[i].order == order &&
		    by_reason[i].reason == its->reason)
			return by_reason[i].answer;
	if (order == ORDER_RETRY && its->deleted && answers[order][its->state] == YES &&
	    doc_state_is_final(its->state))
		return WAS_WITHDRAWN; /* the deletion has been there, and would not come again */
	if (order == ORDER_CANCEL && its->doubtful && answers[order][its->state] == YES)
		return IN_DOUBT;
	return answers[order][its->state];
}

static const struct order_refusal *refusal_of(enum answer answer, bool forced)
{
	return answer == YES || (forced && answer >= FIRST_FORCED) ? NULL : &refusals[answer];
}

const struct order_refusal *order_refusal(enum order order, const struct order_case *its,
					  bool forced)
{
	return refusal_of(answer_of(order, its), forced);
}

static enum answer answer_by_other(const struct order_case *other, bool changes)
{
	if (other->state == DOC_SENDING)
		return OTHER_IS_SENDING;
	if (other->state == DOC_DELIVERED)
		return changes ? OTHER_HAS_GONE : YES;
	return answer_of(ORDER_CANCEL, other) == IN_DOUBT ? OTHER_IN_DOUBT : YES;
}

const struct order_refusal *order_refusal_by_other(const struct order_case *other, bool changes,
						   bool forced)
{
	return refusal_of(answer_by_other(other, changes), forced);
}
