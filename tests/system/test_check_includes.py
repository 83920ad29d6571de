"""scripts/check-includes keeps the project, and sees every kind of violation that is planted in a copy of it."""

import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]

# A small project that keeps the rules.
CLEAN = {
    "include/base/buf.h": "",
    "daemon/base/buf.c": '#include "base/buf.h"\n#include <string.h>\n',
    "include/base/log.h": "",
    "daemon/base/log.c": '#include "base/log.h"\n',
    "include/base/jobs.h": "",
    "daemon/base/jobs.c": '#include "base/jobs.h"\n#include <pthread.h>\npthread_mutex_t mutex;\n',
    "include/hl7/mllp.h": '#include "base/buf.h"\n',
    "daemon/hl7/mllp.c": '#include "hl7/mllp.h"\n',
    "include/queue/store.h": '#include "base/buf.h"\n',
    "daemon/queue/store_sqlite.c": '#include "queue/store.h"\n#include <sqlite3.h>\n',
    "include/dispatch/http.h": '#include "base/buf.h"\n',
    "daemon/dispatch/http.c": '#include "dispatch/http.h"\n#include <curl/curl.h>\n#include <event2/event.h>\n',
    "include/pipeline.h": '#include "hl7/mllp.h"\n#include "queue/store.h"\n',
    "daemon/pipeline.c": '#include "pipeline.h"\n/* #include <curl/curl.h>\n#include "nothing.h" */\n',
    "daemon/main.c": '#include "pipeline.h"\nconst char *text = "/*";\n#include "base/log.h"\n',
}


def check(root: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run([SOURCE / "scripts" / "check-includes", root], capture_output=True, text=True)


def write(root: pathlib.Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_project_keeps_the_rules():
    result = check(SOURCE)
    assert result.returncode == 0, result.stdout


def test_a_violation_planted_in_a_copy_of_the_project_is_seen(tmp_path):
    for top in ("daemon", "include"):
        shutil.copytree(SOURCE / top, tmp_path / top)
    before = check(tmp_path).stdout.splitlines()
    victim = tmp_path / "daemon" / "base" / "buf.c"
    lines = victim.read_text().splitlines()
    victim.write_text("\n".join([*lines, '#include "queue/store.h"', ""]))
    result = check(tmp_path)
    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if line not in before] == [
        f"daemon/base/buf.c:{len(lines) + 1}: base may not include queue, only itself: "
        "call down by name, and up through a callback"]


def test_a_clean_project_passes(tmp_path):
    write(tmp_path, CLEAN)
    result = check(tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@pytest.mark.parametrize("path, text, told", [
    ("daemon/hl7/mllp.c", '#include "queue/store.h"\n', ":1: hl7 may not include queue, only base: "),
    ("daemon/base/buf.c", '\n\n#include "hl7/mllp.h"\n', ":3: base may not include hl7, only itself: "),
    ("include/queue/store.h", '#include "pipeline.h"\n', ":1: queue may not include pipeline"),
    ("daemon/dispatch/http.c", '#include "hl7/mllp.h"\n', ":1: dispatch may not include hl7, only base, dmp, document: "),
    ("daemon/hl7/mllp.c", '#include "base/log.h"\n', ":1: hl7 does not write to the journal"),
    ("daemon/hl7/mllp.c", '# include <event2/buffer.h>\n', ":1: libevent is at home in "),
    ("daemon/pipeline.c", "#include <curl/curl.h>\n",
     ":1: curl is at home in daemon/dispatch/http.c, daemon/push.c, include/dispatch/http_multi.h only"),
    ("daemon/pipeline.c", "#include <sqlite3.h>\n", ":1: SQLite is at home in "),
    ("daemon/pipeline.c", "#include <yaml.h>\n", ":1: libyaml is at home in "),
    ("daemon/hl7/mllp.c", "#include <libxml/parser.h>\n", ":1: libxml2 is at home in "),
    ("daemon/pipeline.c", "#include <jansson.h>\n", ":1: jansson is at home in "),
    ("daemon/pipeline.c", "#include <openssl/evp.h>\n", ":1: OpenSSL is at home in "),
    ("daemon/pipeline.c", "#include <pthread.h>\n", ":1: the thread library is at home in "),
    ("daemon/pipeline.c", "#include <zlib.h>\n", ":1: <zlib.h> has no home"),
    ("daemon/pipeline.c", "#include <base/buf.h>\n", ':1: <base/buf.h> is ours: include it with ""'),
    ("daemon/pipeline.c", '#include "curl/curl.h"\n', ':1: "curl/curl.h" is not in include/'),
    ("daemon/pipeline.c", '#include "../daemon/base/buf.c"\n', ':1: "../daemon/base/buf.c" is not in include/'),
    ("daemon/pipeline.c", "#include HEADER\n", ":1: an include must name its header"),
    ("daemon/pipeline.c", "void f(void)\n{\n\tpthread_create(0, 0, 0, 0);\n}\n", ":3: threads are started by"),
    ("daemon/queue/store_sqlite.c", "pthread_mutex_t mutex;\n", ":1: only base/jobs.c contains a mutex"),
    ("daemon/hl7/ack.c", "", ":1: has no header: include/hl7/ack.h should"),
    ("include/hl7/ack.h", "", ":1: has no source: daemon/hl7/ack.c should"),
    ("daemon/hl7/mllp.h", "", ":1: a header belongs in include/"),
    ("include/hl7/mllp.c", "", ":1: a source belongs in daemon/"),
    ("daemon/attic/old.c", "", ":1: attic is a room that scripts/check-includes does not know"),
])
def test_each_kind_of_violation_is_told_with_its_line(tmp_path, path, text, told):
    write(tmp_path, {**CLEAN, path: text})
    result = check(tmp_path)
    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if line.startswith(path + told)], result.stdout
    assert len(result.stdout.splitlines()) == 1, result.stdout


def test_a_folder_without_sources_is_told(tmp_path):
    result = check(tmp_path)
    assert result.returncode == 2
    assert "no daemon/ and include/ here" in result.stderr
