"""Asks of a history what the documentation promises: types of its columns, and the questions that stand there.

usage: history-check.py FILE DOCS...     (in a Python that has duckdb; pandas is asked where it is there)

The first of DOCS has the table of the fields. The questions are the blocks of SQL and Python that name runs.jsonl.
"""

import os
import re
import sys

import duckdb

# What a column may be taken for: a column without a value is a NULL, one that has only whole numbers is of integers.
NUMBER = {"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"}
TYPES = {
    "text": {"VARCHAR", "UUID"},
    "number": NUMBER,
    "seconds": NUMBER,
    "time": {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"},
    "object": {"STRUCT", "MAP", "JSON"},
    "list": {"STRUCT[]", "JSON[]"},
    "list of texts": {"VARCHAR[]", "JSON[]"},
}


def documented(docs):
    """The fields of the first table: name, type, and whether it may be null."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| ([^|]*)\|$", docs, re.M)
    return {name: (kind.strip(), bool(null.strip())) for name, kind, null in rows}


def blocks(docs, language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", docs, re.M | re.S)
    return [block for block in found if "runs.jsonl" in block]


def ask(connection, query):
    return connection.execute(query).fetchall()


def short(kind):
    """`STRUCT(a BIGINT)[]` as `STRUCT[]`."""
    return re.sub(r"\(.*\)", "", kind)


def check_types(connection, fields):
    columns = ask(connection, "DESCRIBE SELECT * FROM 'runs.jsonl'")
    found = {name: short(kind).strip('"') for name, kind, *_ in columns}
    assert found.keys() == fields.keys(), found.keys() ^ fields.keys()
    for name, (kind, may_be_null) in fields.items():
        [(nulls,)] = ask(connection, f"SELECT count(*) FROM 'runs.jsonl' WHERE \"{name}\" IS NULL")
        assert may_be_null or nulls == 0, f"{name} is null in {nulls} lines"
        if found[name] in ("NULL", "JSON") and may_be_null:
            continue
        assert found[name] in TYPES[kind], f"{name}: {kind} is read as {found[name]}"
    return len(found)


def check_pandas(code, lines):
    """Runs a block, which reads the file as `runs`."""
    names = {}
    exec(code, names)
    runs = names["runs"]
    assert str(runs.started.dtype).startswith("datetime64"), runs.started.dtype
    assert len(runs) == lines, (len(runs), lines)


def main():
    history, *docs_files = sys.argv[1:]
    docs = []
    for path in docs_files:
        with open(path, encoding="utf-8") as file:
            docs.append(file.read())
    folder, name = os.path.split(os.path.abspath(history))
    os.chdir(folder)
    connection = duckdb.connect()
    if name != "runs.jsonl":
        sys.exit(f"the questions are about runs.jsonl, not {name}")
    columns = check_types(connection, documented(docs[0]))
    together = "\n".join(docs)
    queries = [query for block in blocks(together, "sql") for query in block.split(";") if query.strip()]
    assert queries, "no question stands in the documentation"
    for query in queries:
        print(query.strip())
        for row in ask(connection, query):
            print("   ", *row, sep=" | ")
    print(f"duckdb {duckdb.__version__}: {columns} columns, {len(queries)} queries")
    try:
        import pandas
    except ModuleNotFoundError:
        print("pandas: skipped, it is not installed")
        return
    codes = blocks(together, "python")
    assert codes, "no question to pandas stands in the documentation"
    [(lines,)] = ask(connection, "SELECT count(*) FROM 'runs.jsonl'")
    for code in codes:
        check_pandas(code, lines)
    print(f"pandas {pandas.__version__}: {lines} runs, {len(codes)} blocks")


main()
