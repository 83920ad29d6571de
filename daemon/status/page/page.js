"use strict";
/* Fetches what changes again and again and puts it in place, with focus, scroll and what was unfolded as
   they were; says when the gateway does not answer. Without it the page still says all, and reloads. */
(() => {
	const everyMs = 10000, patienceMs = 8000;
	const main = document.getElementById("main");
	const lost = document.getElementById("lost");
	const clock = document.getElementById("clock");
	const address = "/?part=live&lang=" + document.documentElement.lang;

	/* How to find an element again in the new content: its id, or its place among those that can be reached. */
	const reachable = () => [...main.querySelectorAll("a, summary, [tabindex]")];

	function put(text) {
		const focused = reachable().indexOf(document.activeElement);
		const unfolded = [...main.querySelectorAll("details[open]")].map((details) => details.id);
		const top = window.scrollY;

		main.innerHTML = text;
		for (const id of unfolded) {
			const details = document.getElementById(id);
			if (details) details.open = true;
		}
		if (focused >= 0) reachable()[focused]?.focus({ preventScroll: true });
		window.scrollTo({ top, behavior: "instant" });
		clock.textContent = new Date().toTimeString().slice(0, 5);
		document.documentElement.dataset.refreshed = Number(document.documentElement.dataset.refreshed ?? 0) + 1;
	}

	async function refresh() {
		if (document.hidden) return;
		try {
			const answer = await fetch(address, { signal: AbortSignal.timeout(patienceMs), cache: "no-store" });
			if (!answer.ok) throw new Error(String(answer.status));
			put(await answer.text());
			lost.textContent = "";
		} catch {
			lost.textContent = lost.dataset.text + " " + clock.textContent + ".";
		}
		document.body.classList.toggle("is-lost", lost.textContent !== "");
	}

	async function goOn() {
		await refresh();
		setTimeout(goOn, everyMs);
	}

	document.addEventListener("visibilitychange", refresh);
	setTimeout(goOn, everyMs);
})();
