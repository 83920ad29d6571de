"""dmpfeedctl against a control socket of our own: what it asks, what it prints, how it ends."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading

import pytest

from disks import FailingMemory

PROGRAM = pathlib.Path(os.environ.get("DMPFEED_BUILD", "build")) / "daemon" / "dmpfeedctl"
SOURCE = pathlib.Path(__file__).resolve().parents[2]

DOC = "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7"
OK = {"ok": True}

ROW = {
    "doc": DOC, "action": "submit", "unique_id": "1.2.250.1.999.1", "type_code": "11502-2",
    "lane": "010000000", "site": "010000001", "source": "EHR", "channel": "mllp",
    "origin": "MSG0001", "state": "queued", "reason": "retrying",
    "sentence": "It will be sent again.", "todo": "Nothing.", "attempts": 2, "doubtful": True,
    "bytes": 12288, "received": "2026-11-20T09:41:07.250Z", "changed": "2026-11-20T09:42:00.000Z",
    "next_attempt": "2026-11-20T09:45:00.000Z", "lane_state": "slowed", "lane_since": "2026-11-20T09:42:30.000Z",
    "lane_why": "the DMP answers 503", "not_before": "2026-11-20T09:46:00.000Z", "last_arrival": 7,
}
DELIVERED = {
    **ROW, "doc": "01JCZ8Q6M3W2X5Y7Z9A1B3C5D8", "state": "delivered", "reason": None,
    "sentence": None, "todo": None, "attempts": 1, "doubtful": False, "next_attempt": None,
    "lane_state": None, "lane_since": None, "lane_why": None, "not_before": None,
}
RECEIVED = {
    "number": 7, "at": "2026-11-20T09:41:07.250Z", "what": "received", "state": "queued",
    "reason": None, "attempt": 0, "code": None, "text": None, "note": None,
    "origin": "MSG0001", "http_status": 0, "duration_ms": 0,
}
SETTLED = {
    **RECEIVED, "number": 9, "at": "2026-11-20T09:42:00.000Z", "what": "settled",
    "reason": "retrying", "attempt": 1, "code": "soap:Receiver", "text": "Service indisponible",
    "note": "maintenance", "origin": None, "http_status": 503, "duration_ms": 412,
}
STATUS = {
    "version": "1.2.3", "environment": "production", "uptime_s": 183900,
    "now": "2026-11-20T10:00:00.000Z", "ready": False, "not_ready": "the disk is full",
    "queue": {"held": 2, "queued": 13}, "oldest_queued_s": 7384, "last_delivered": None,
    "lanes": [{"name": "010000000", "state": "slowed", "since": "2026-11-20T09:59:30.000Z", "why": "the DMP does not answer",
               "in_flight": 8, "delivered": 41, "resumes": "2026-11-20T10:00:30.000Z",
               "last_delivered": "2026-11-20T09:59:00.000Z"}],
    "identities": 7, "answers": 0,
    "listeners": [{"name": "ehr", "address": "127.0.0.1:2575", "tls": False, "connections": 1, "in_flight_bytes": 0,
                   "messages": 52, "broken_frames": 0, "stray_bytes": 3, "refused_connections": 1, "refused_peers": 2,
                   "failed_handshakes": 0, "last_message": None}],
    "folders": [{"name": "lis", "path": "/srv/drop", "trouble": None, "waiting": 0, "taken": 3,
                 "rejected": 1, "last_file": None}],
}


class Daemon:
    """Answers each connection with the bytes that it was given for it, and keeps the request."""

    def __init__(self, path):
        self.path = str(path)
        self.answer = b""
        self.later = []  # what further connections are answered
        self.reads = True
        self.request_line = b""
        self.requests = []
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.path)
        self.listening.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        for answer in [self.answer, *self.later]:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return  # nobody came
            with connection:
                if self.reads:
                    self.request_line = connection.makefile("rb").readline()
                    self.requests.append(self.request_line)
                try:
                    connection.sendall(answer)
                except OSError:
                    pass  # it had read enough

    def answers(self, *lines):
        self.answer = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self.thread.start()

    def answers_bytes(self, answer):
        self.answer = answer
        self.thread.start()

    @property
    def request(self):
        assert self.request_line.endswith(b"\n")
        return json.loads(self.request_line)

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        if self.thread.ident:
            self.thread.join(10)


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path / "control.sock")
    yield daemon
    daemon.close()


def ctl(*arguments, path=None, language="C.UTF-8", **environment):
    if path is not None:
        environment["DMPFEED_SOCKET"] = path
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith(("LC_", "LANG", "DMPFEED_SOCKET"))}
    return subprocess.run([PROGRAM, *arguments], env={**variables, "LANG": language, **environment},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)


def lines_of(result):
    assert result.stderr == b""
    assert result.returncode == 0
    return result.stdout.decode().splitlines()


# ---- what it asks ----

@pytest.mark.parametrize("arguments, request_", [
    (["status"], {"command": "status"}),
    (["list"], {"command": "list", "limit": 100}),
    (["list", "--state", "held", "--reason", "policy_hold", "--site", "010000001", "--limit", "7",
      "--after", DOC],
     {"command": "list", "state": "held", "reason": "policy_hold", "site": "010000001", "limit": 7,
      "after": DOC}),
    (["list", "--state", "invisible", "--older-than", "15d"],
     {"command": "list", "state": "invisible", "older_than_ms": 15 * 86400000, "limit": 100}),
    (["list", "--older-than", "36 h"], {"command": "list", "older_than_ms": 36 * 3600000, "limit": 100}),
    (["--state=held", "list"], {"command": "list", "state": "held", "limit": 100}),
    (["show", DOC], {"command": "show", "doc": DOC}),
    (["show", "\"é\n"], {"command": "show", "doc": "\"é\n"}),
])
def test_the_request_is_one_line_of_json(daemon, arguments, request_):
    daemon.answers(OK)
    ctl(*arguments, path=daemon.path)
    assert daemon.request == {**request_, "lang": "en"}
    assert daemon.request_line.count(b"\n") == 1


@pytest.mark.parametrize("variables, language", [
    ({}, "en"),
    ({"LANG": "fr_FR.UTF-8"}, "fr"),
    ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
    ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_CA"}, "fr"),
    ({"LC_ALL": "fr", "LC_MESSAGES": "en_GB.UTF-8"}, "fr"),
    ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "fr"}, "fr"),
    ({"LANG": "en_GB.UTF-8"}, "en"),
])
def test_the_daemon_is_told_the_language_of_the_user(daemon, variables, language):
    daemon.answers({"row": STATUS}, OK)
    ctl("status", path=daemon.path, **{"language": "", **variables})
    assert daemon.request["lang"] == language


def test_the_option_names_the_socket_before_the_environment_does(daemon, tmp_path):
    daemon.answers({"row": STATUS}, OK)
    assert ctl("status", "--socket", daemon.path, path=str(tmp_path / "none")).returncode == 0


# ---- what it prints for people ----

def test_list_prints_aligned_columns(daemon):
    daemon.answers({"row": ROW}, {"row": {**DELIVERED, "source": "Éditeur"}}, OK)
    titles, first, second = lines_of(ctl("list", path=daemon.path))
    assert titles.split("  ")[0] == "Document"
    for title, of_first, of_second in [
            ("State", "queued", "delivered"), ("Reason", "retrying", "-"),
            ("Type", "11502-2", "11502-2"),
            ("Site", "010000001", "010000001"), ("Source", "EHR", "Éditeur"),
            ("Received", "2026-11-20T09:41:07.250Z", "2026-11-20T09:41:07.250Z"),
            ("Attempts", "2", "1"), ("Lane", "slowed", "-"), ("Not before", "2026-11-20T09:46:00.000Z", "-")]:
        place = titles.index(title)
        assert first[place:].startswith(of_first)
        assert second[place:].startswith(of_second)


def test_a_column_in_which_nothing_is_known_is_left_out(daemon):
    daemon.answers({"row": DELIVERED}, OK)
    titles, _ = lines_of(ctl("list", path=daemon.path))
    assert "Not before" not in titles
    assert "Reason" not in titles


def test_an_empty_list_says_so(daemon):
    daemon.answers(OK)
    assert lines_of(ctl("list", path=daemon.path)) == ["No document."]


def test_a_list_cut_at_its_limit_says_how_to_go_on(daemon):
    daemon.answers({"row": DELIVERED}, {"row": ROW}, OK)
    result = ctl("list", "--limit", "2", path=daemon.path)
    assert result.returncode == 0
    assert result.stderr.decode() == f"dmpfeedctl: There may be more: add --after {DOC}\n"


def test_show_prints_the_document_then_its_history(daemon):
    daemon.answers({"row": ROW}, {"event": RECEIVED}, {"event": SETTLED}, OK)
    lines = lines_of(ctl("show", DOC, path=daemon.path))
    blank = lines.index("")
    members = dict(re.split("  +", line, maxsplit=1) for line in lines[:blank])
    assert members["Document"] == DOC
    assert members["State"] == "queued"
    assert members["Meaning"] == "It will be sent again."
    assert members["What to do"] == "Nothing."
    assert members["In doubt"] == "yes"
    assert members["Identifier"] == "1.2.250.1.999.1"
    assert lines[blank + 1] == "History"
    assert [re.split("  +", line) for line in lines[blank + 2:]] == [
        ["When", "What", "State", "Reason", "Attempt", "HTTP", "ms", "Code", "Note", "Origin",
         "Text"],
        [RECEIVED["at"], "received", "queued", "-", "-", "-", "-", "-", "-", "MSG0001", "-"],
        [SETTLED["at"], "settled", "queued", "retrying", "1", "503", "412", "soap:Receiver",
         "maintenance", "-", "Service indisponible"]]


def test_show_says_where_each_value_came_from(daemon):
    daemon.answers({"row": ROW}, {"event": RECEIVED},
                   {"metadata": {"name": "title", "value": "Lettre", "from": "document"}},
                   {"metadata": {"name": "facility", "value": "SA01 Public", "from": "site"}}, OK)
    lines = lines_of(ctl("show", DOC, path=daemon.path))
    at = lines.index("Metadata")
    assert [re.split("  +", line) for line in lines[at + 1:at + 4]] == [
        ["Name", "From", "Value"], ["title", "document", "Lettre"], ["facility", "site", "SA01 Public"]]


def test_status_says_first_whether_it_works(daemon):
    daemon.answers({"row": STATUS}, OK)
    lines = lines_of(ctl("status", path=daemon.path))
    assert [re.split("  +", line) for line in lines] == [
        ["Ready", "no"],
        ["because", "the disk is full"],
        ["Oldest waiting for", "2 h 3 min"],
        ["Identities (ADT)", "7"],
        ["Answers (ACK)", "0"],
        ["Running for", "2 d 3 h"],
        ["Version", "1.2.3"],
        ["Environment", "production"],
        [""],
        ["Documents"],
        ["State", "Number"],
        ["held", "2"],
        ["queued", "13"],
        [""],
        ["Lanes"],
        ["Name", "State", "Since", "In flight", "Delivered", "Last delivery", "Tries again", "Why"],
        ["010000000", "slowed", "2026-11-20T09:59:30.000Z", "8", "41", "2026-11-20T09:59:00.000Z", "2026-11-20T10:00:30.000Z",
         "the DMP does not answer"],
        [""],
        ["Listeners"],
        ["Name", "Address", "TLS", "Connections", "Messages", "Broken frames", "Stray bytes", "Too many", "Not allowed",
         "TLS failed"],
        ["ehr", "127.0.0.1:2575", "no", "1", "52", "0", "3", "1", "2", "0"],
        [""],
        ["Folders"],
        ["Name", "Path", "Waiting", "Taken", "Rejected"],
        ["lis", "/srv/drop", "0", "3", "1"]]


@pytest.mark.parametrize("language, wanted", [("C.UTF-8", "the DMP does not answer"), ("fr_FR.UTF-8", "le DMP ne répond pas")])
def test_why_a_lane_is_slowed_is_said_in_the_users_language(daemon, language, wanted):
    words = {"en": "the DMP does not answer", "fr": "le DMP ne répond pas"}
    daemon.answers({"row": {**STATUS, "lanes": [{**STATUS["lanes"][0], "sentence": words}]}}, OK)
    assert any(line.endswith(f"  {wanted}") for line in lines_of(ctl("status", path=daemon.path, language=language)))


# ---- orders by a reason, in rounds ----

THIRD, LAST = "01JD00000000000000000000C0", "01JD00000000000000000000D0"


def round_of(*docs, more=0, **members):
    """What the daemon answers: what became of each, and how many remain behind the last."""
    done = {"ok": True, "dry_run": False, "from": "rejected", "state": "queued", "reason": None, "sentence": None,
            "site": "010000001", "type_code": "11490-0", **members}
    rows = [{"row": {"doc": doc, **done}} for doc in docs]
    return [*rows, *([{"rest": {"more": more, "after": docs[-1]}}] if more else []), OK]


def in_rounds(daemon, *rounds):
    first, *daemon.later = (b"".join(json.dumps(line).encode() + b"\n" for line in each) for each in rounds)
    daemon.answers_bytes(first)


def retry(daemon, *options):
    return ctl("retry", "--reason", "dmp_error", *options, path=daemon.path)


def test_it_goes_on_until_none_remains(daemon):
    in_rounds(daemon, round_of(DOC, THIRD, more=1), round_of(LAST))
    done = retry(daemon, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [row["doc"] for row in json.loads(done.stdout)] == [DOC, THIRD, LAST]
    assert [json.loads(line).get("after") for line in daemon.requests] == [None, THIRD]


def test_it_ends_with_what_there_was_when_it_began(daemon):
    """Others come as fast as it goes."""
    in_rounds(daemon, round_of(DOC, more=1), round_of(THIRD, more=1), round_of(LAST, more=1))
    done = retry(daemon)
    assert (done.returncode, done.stderr) == (0, b"")
    assert THIRD.encode() in done.stdout and LAST.encode() not in done.stdout


@pytest.mark.parametrize("options", [[], ["--json"], ["--json", "--dry-run"]])
def test_it_says_why_not_all_is_done_and_how_to_go_on(daemon, options):
    in_rounds(daemon, round_of(DOC, more=2), [{"ok": False, "error": "the disk is full"}])
    done = retry(daemon, *options)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["dmpfeedctl: the disk is full",
                                                 f"dmpfeedctl: 1 looked at, 2 remain: ask again with --after {DOC}"]
    assert "--json" not in options or len(json.loads(done.stdout)) == 1, "what was done is told, and whole"


def test_a_refusal_in_any_round_is_in_the_exit_status(daemon):
    in_rounds(daemon, round_of(DOC, more=1, ok=False, sentence="No."), round_of(THIRD))
    assert retry(daemon).returncode == 1


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_dry_run_counts_kinds_through_all_rounds(daemon, options):
    would = {"dry_run": True}
    in_rounds(daemon, round_of(DOC, THIRD, more=1, **would), round_of(LAST, **would)[:-1] + round_of(
        "01JD00000000000000000000E0", ok=False, state=None, sentence="It is sent.", **would))
    done = retry(daemon, "--dry-run", *options)
    assert (done.returncode, done.stderr) == (1, b"")
    if options:
        rows = json.loads(done.stdout)
        assert [(row["documents"], row["ok"], row["sentence"]) for row in rows] == [(3, True, None), (1, False, "It is sent.")]
        assert all("doc" not in row and row["site"] and row["type_code"] for row in rows)
    else:
        assert [re.split("  +", line)[2:4] for line in done.stdout.decode().splitlines()] == [
            ["Number", "Done"], ["3", "would be"], ["1", "no"]]


def test_none_at_all_is_an_empty_list(daemon):
    in_rounds(daemon, [OK])
    assert json.loads(retry(daemon, "--json").stdout) == []


def test_a_gateway_that_has_nothing_yet_has_a_short_status(daemon):
    daemon.answers({"row": {**STATUS, "ready": True, "not_ready": None, "queue": {}, "lanes": [],
                            "listeners": [], "folders": [], "oldest_queued_s": None,
                            "uptime_s": 5}}, OK)
    assert [re.split("  +", line) for line in lines_of(ctl("status", path=daemon.path))] == [
        ["Ready", "yes"], ["Identities (ADT)", "7"], ["Answers (ACK)", "0"], ["Running for", "0 min 5 s"], ["Version", "1.2.3"],
        ["Environment", "production"]]


def test_every_word_has_its_french():
    """Those that both languages share stand here."""
    shared = {"Document", "Documents", "Site", "Source", "Type", "Action", "Code", "Note", "HTTP", "ms", "TLS", "Messages",
              "Version", "State", "1 min", "5 min", "15 min", "1 h", "4 h", "12 h"}
    folder = SOURCE / "daemon"
    literal = r'"((?:[^"\\]|\\.)*(?:"\s*"(?:[^"\\]|\\.)*)*)"'
    join = re.compile(r'"\s*"')
    program, asks, commands = ((folder / name).read_text() for name in ("ctl.c", "ctl/ctl_ask.c", "ctl/ctl_command.c"))
    printed = "".join(source.read_text() for source in sorted(folder.glob("ctl/ctl_print*.c")))
    said = {text for source in (printed, program, asks, commands) for text in re.findall(rf"ctl_say\({literal}", source)}
    said |= set(re.findall(r'\{ "\w+", ' + literal + r" \}", printed))  # titles of columns
    said |= set(re.findall(r"\.help = " + literal, commands))
    said |= set(re.findall(r"advice = " + literal, asks))
    said |= set(re.findall(r"misused\(" + literal, program + commands))
    said |= set(re.findall(r'\] = \{ "[a-z-]+", (?:NULL|"[^"]+"),\s*' + literal, commands))
    known = {join.sub("", text) for text in re.findall(r"\{ " + literal + r",", (folder / "ctl/ctl_words.c").read_text())}
    assert len(said) > 120
    assert {join.sub("", text) for text in said} - known - shared == set()


def test_every_refusal_has_its_french():
    """Those of the commands that people give figures, months and files to."""
    folder = SOURCE / "daemon"
    literal = r'"((?:[^"\\]|\\.)*)"(?:\s*"((?:[^"\\]|\\.)*)")?(?:\s*"((?:[^"\\]|\\.)*)")?'
    calls = {"err_set": ["operator/imports", "operator/counters_answer", "operator/orders", "operator/export",
                         "operator/stay_list", "queue/store_sqlite_backup", "base/csv"],
             "errand_end": ["operator/orders", "operator/recall", "operator/recount", "operator/stay_list"],
             "answer_end": ["operator/imports"],
             "complain": ["status/figures"], "csv_refuse": ["base/csv"], "turn_away": ["control/control"]}
    said = set()
    for call, names in calls.items():
        for name in names:
            source = (folder / f"{name}.c").read_text()
            said |= {"".join(parts) for parts in re.findall(rf"\b{call}\((?:[^;\"]*?[,?:]\s*){literal}", source)}
    table = (folder / "ctl/ctl_refusal.c").read_text()
    known = {re.sub(r'"\s*"', "", text) for text in re.findall(r'\{ "((?:[^"\\]|\\.)*)",', table)}
    patterns = {re.sub(r"%[.\d]*[a-z]+", "%", text) for text in said}
    assert len(patterns) > 25
    assert [text for text in patterns
            if not any(re.fullmatch(re.escape(text).replace("%", ".*"), each) for each in known)] == []


@pytest.mark.parametrize("refusal, french", [
    ("counts.csv:3: month: \"13/2026\" is no month (2026-11)",
     "counts.csv:3 : month : « 13/2026 » n'est pas un mois (2026-11)"),
    ("/srv/c.csv: Is a directory: the daemon must be able to read it (another folder?)",
     "/srv/c.csv : Is a directory : le démon doit pouvoir le lire (un autre dossier ?)"),
    ("/srv/x is there, and is no backup: choose another name, or remove it",
     "/srv/x existe, et n'est pas une sauvegarde : choisir un autre nom, ou le supprimer"),
    ("cannot create /srv/x.tmp: Read-only file system",
     "impossible de créer /srv/x.tmp : le démon n'y a pas le droit d'écrire (ReadWritePaths= de son unité)"),
    ("from takes a day like 2026-11-22, not 'yesterday'",
     "--from attend un jour comme 2026-11-22, et non « yesterday »"),
    ("at most 10000 documents at once", "10000 documents au plus à la fois"),
    ("at most 10000 documents at once, today", "at most 10000 documents at once, today"),
], ids=["with its place", "two patterns fit", "a file that is none", "a folder of others", "a day", "a number", "not known"])
def test_a_refusal_is_told_in_the_language_of_the_user(daemon, refusal, french):
    daemon.answers({"ok": False, "error": refusal})
    assert ctl("show", DOC, path=daemon.path, language="fr_FR.UTF-8").stderr.decode() == f"dmpfeedctl: {french}\n"


@pytest.mark.parametrize("arguments, said", [
    (["--limit"], "cette option prend une valeur : --limit"),
    (["--no-such"], "cette option n'existe pas, ou ne prend pas de valeur : --no-such"),
    (["--json=1"], "cette option n'existe pas, ou ne prend pas de valeur : --json=1"),
])
def test_an_option_that_is_none_is_told_in_french_too(arguments, said):
    done = ctl("list", *arguments, language="fr_FR.UTF-8")
    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (2, f"dmpfeedctl: {said}")


def test_a_french_user_reads_french(daemon):
    daemon.answers({"row": ROW}, {"event": SETTLED}, OK)
    lines = lines_of(ctl("show", DOC, path=daemon.path, language="fr_FR.UTF-8"))
    assert [re.split("  +", line)[0] for line in lines] == [
        "Document", "État", "Motif", "Explication", "Sa voie est", "depuis", "parce que", "À faire", "Pas avant",
        "Tentatives", "Douteux", "Action", "Identifiant", "Type", "Octets", "Voie", "Site", "Source", "Canal",
        "Origine", "Reçu", "Modifié", "", "Historique", "Quand", SETTLED["at"]]
    assert lines[10] == "Douteux           oui"


def test_no_byte_of_an_answer_reaches_the_terminal_as_a_command(daemon):
    daemon.answers({"row": {**ROW, "source": "a\x1b[2Jb\rc\nd\x7fe\u009bf\u202eg"}}, OK)
    result = ctl("list", path=daemon.path)
    assert b"a\\u001b[2Jb\\u000dc\\u000ad\\u007fe\\u009bf\\u202eg" in result.stdout
    assert result.stdout.count(b"\n") == 2


# ---- what it prints for programs ----

def test_list_as_json_is_one_array(daemon):
    daemon.answers({"row": ROW}, {"row": DELIVERED}, OK)
    result = ctl("--json", "list", path=daemon.path)
    assert json.loads(result.stdout) == [ROW, DELIVERED]
    assert result.stdout.startswith(b'[\n  {\n    "doc": "')


def test_an_empty_list_as_json_is_an_empty_array(daemon):
    daemon.answers(OK)
    assert json.loads(ctl("list", "--json", path=daemon.path).stdout) == []


def test_status_as_json_is_what_the_status_port_says(daemon):
    daemon.answers({"row": STATUS}, OK)
    result = ctl("status", "--json", path=daemon.path)
    assert json.loads(result.stdout) == STATUS
    assert result.stdout.startswith(b'{\n  "version": "1.2.3",\n  "environment"')


@pytest.mark.parametrize("events", [[], [RECEIVED, SETTLED]])
def test_show_as_json_has_the_events_in_the_document(daemon, events):
    daemon.answers({"row": ROW}, *({"event": event} for event in events), OK)
    result = ctl("show", DOC, "--json", path=daemon.path)
    assert json.loads(result.stdout) == {**ROW, "events": events, "metadata": []}


def test_control_characters_in_json_are_escaped_and_stay_the_same(daemon):
    row = {**ROW, "source": "a\x1b\n\x7f\u009b\u00e9"}
    daemon.answers({"row": row}, OK)
    result = ctl("list", "--json", path=daemon.path)
    assert json.loads(result.stdout) == [row]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout.decode())
    assert "é" in result.stdout.decode()


# ---- how it ends ----

def test_a_refusal_is_the_daemons_sentence_and_1(daemon):
    daemon.answers({"ok": False, "error": "there is no document \x1b[31m" + DOC})
    result = ctl("show", DOC, path=daemon.path)
    assert result.returncode == 1
    assert result.stderr.decode() == f"dmpfeedctl: there is no document \\u001b[31m{DOC}\n"
    assert result.stdout == b""


def test_a_refusal_is_heard_though_the_daemon_read_nothing(daemon):
    daemon.reads = False
    daemon.answers({"ok": False, "error": "only root may ask"})
    result = ctl("status", path=daemon.path)
    assert result.returncode == 1
    assert b"only root may ask" in result.stderr


@pytest.mark.parametrize("arguments", [
    [], ["stat"], ["show"], ["show", DOC, DOC], ["status", DOC], ["--wrong", "status"],
    ["--socket"], ["status", "--state", "held"], ["show", DOC, "--limit", "3"],
    ["list", "--limit", "0"], ["list", "--limit", "10001"], ["list", "--limit", "-1"],
    ["list", "--older-than", "15"], ["list", "--older-than", "d"], ["list", "--older-than", "1.5d"], ["list", "--older-than", ""],
    ["list", "--older-than", "15 w"], ["list", "--older-than", "-1d"], ["list", "--older-than", "100001s"],
    ["list", "--limit", "ten"], ["list", "--limit", ""], ["list", "--site", b"\xff"],
])
def test_misuse_is_2_before_anything_is_asked(tmp_path, arguments):
    result = ctl(*arguments, path=str(tmp_path / "none"))
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.count(b"\n") <= 2
    assert b"dmpfeedctl: " in result.stderr


def assert_unreachable(result, *words):
    assert result.returncode == 3
    assert result.stdout == b""
    assert result.stderr.startswith(b"dmpfeedctl: cannot reach dmpfeedd: ")
    for word in words:
        assert word in result.stderr.decode()


def test_no_socket_is_3_and_says_what_to_look_at(tmp_path):
    path = str(tmp_path / "none")
    assert_unreachable(ctl("status", path=path), path, "No such file or directory",
                       "systemctl status dmpfeed", "control.socket")


def test_a_socket_without_a_daemon_is_3(tmp_path):
    path = str(tmp_path / "stale")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    assert_unreachable(ctl("status", path=path), path, "Connection refused", "It has stopped")


@pytest.mark.parametrize("path", ["", "x" * 108])
def test_a_path_that_no_socket_can_have_is_3(path):
    assert_unreachable(ctl("status", "--socket", path), "1 to 107 bytes")


def test_the_usual_socket_is_the_packages(tmp_path):
    if os.path.exists("/run/dmpfeed/control.sock"):
        pytest.skip("a dmpfeedd is installed here")
    assert_unreachable(ctl("status"), "/run/dmpfeed/control.sock")
    assert_unreachable(ctl("status", path=""), "/run/dmpfeed/control.sock")


@pytest.mark.parametrize("answer", [
    b"", b"\n", b"{}\n", b"[]\n", b"[1]\n", b"not json\n", b'{"ok": true}', b'{"ok": true}\n',
    b'{"ok": false}\n', b'{"ok": 1}\n', b'{"row": {}}\n',
    b'{"row": {}}\n{"row": {}}\n{"ok": true}\n',
    b'{"error": 5}\n', b"\xff\xfe\n", b'{"row": "\x00"}\n',
    pytest.param(b"x" * (2 << 20), id="a line without end"),
])
def test_an_answer_that_breaks_off_is_3(daemon, answer):
    daemon.answers_bytes(answer)
    result = ctl("status", path=daemon.path)
    assert result.returncode == 3
    assert result.stdout == b""
    assert result.stderr.startswith(b"dmpfeedctl: the answer of dmpfeedd broke off")


@pytest.mark.parametrize("command", [["status"], ["show", DOC], ["list"]])
@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("row", [{}, [], 5, "text", {"queue": [], "lanes": {}, "uptime_s": "x"},
                                 {"lanes": [5, None, {"name": []}], "queue": {"a": {}}}])
def test_an_answer_of_strange_shape_does_no_harm(daemon, command, form, row):
    daemon.answers({"row": row}, {"event": row}, OK)
    assert ctl(*command, *form, path=daemon.path).returncode == 0


@pytest.mark.parametrize("command, rows", [
    (["status"], [STATUS]), (["list"], [ROW, DELIVERED]), (["--json", "list"], [ROW, DELIVERED]), (["retry", DOC], [{}]),
])
def test_no_memory_is_said_and_leaves_nothing_out(daemon, tmp_path, command, rows):
    """One allocation fails, by each way to one, until none is left to fail."""
    daemon.later = [b"".join(json.dumps(line).encode() + b"\n" for line in [*({"row": row} for row in rows), OK])] * 1000
    daemon.answers_bytes(daemon.later[0])
    memory = FailingMemory(tmp_path / "control")
    whole = ctl(*command, path=daemon.path, **memory.environment)
    assert whole.returncode == 0
    ended = 0
    for nth in range(len(daemon.later)):
        memory.fail(nth)
        result = ctl(*command, path=daemon.path, **memory.environment)
        if memory.seen() <= nth:
            break
        if result.returncode == 0:
            assert result.stdout == whole.stdout
        else:
            assert result.returncode in (1, 3) and result.stderr.startswith(b"dmpfeedctl: "), result
            ended += b"there is no memory left" in result.stderr
    assert ended > 10


@pytest.mark.parametrize("restore_signals", [True, False])
def test_a_reader_that_has_seen_enough_is_no_failure(daemon, restore_signals):
    daemon.answers(*({"row": ROW} for _ in range(5000)), OK)
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run([PROGRAM, "--socket", daemon.path, "list", "--limit", "9999"],
                            stdout=writing, stderr=subprocess.PIPE, timeout=30,
                            restore_signals=restore_signals)
    os.close(writing)
    assert result.stderr == b""
    assert result.returncode in (0, -13)  # by SIGPIPE, of which shells say nothing


def test_a_full_disk_is_told(daemon):
    daemon.answers({"row": ROW}, OK)
    with open("/dev/full", "w") as full:
        result = subprocess.run([PROGRAM, "--socket", daemon.path, "list"], stdout=full,
                                stderr=subprocess.PIPE, timeout=30)
    assert result.returncode == 1
    assert b"cannot write the answer: No space left on device" in result.stderr


def test_version_and_help_need_no_daemon():
    assert re.fullmatch(r"dmpfeedctl \S+\n", ctl("--version").stdout.decode())
    help_ = ctl("--help").stdout.decode()
    for word in ["status", "list", "show DOC", "--json", "DMPFEED_SOCKET", "Exit status"]:
        assert word in help_
    assert "Code de retour" in ctl("--help", language="fr_FR.UTF-8").stdout.decode()
