"""sql/*.sql becomes queries: where a `:name` is a parameter and where it is not, and what arguments it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alfred.queries import File, Folder, Query


class Db:
    """Keeps what it was asked."""

    def __init__(self, tag="SELECT 0"):
        self.asked, self.tag = None, tag

    async def execute(self, text, *arguments):
        self.asked = (text, arguments)
        return self.tag

    async def fetchval(self, text, *arguments):
        self.asked = (text, arguments)
        return 7


@pytest.mark.parametrize(
    ("text", "becomes", "parameters"),
    [
        ("select :a, :b, :a", "select $1, $2, $1", ["a", "b"]),
        ("select :a::uuid", "select $1::uuid", ["a"]),
        ("select a::text[]", "select a::text[]", []),
        ("select :a::text::uuid, b :: int", "select $1::text::uuid, b :: int", ["a"]),
        ("select ':a'", "select ':a'", []),
        ("select 'it''s :a', :b", "select 'it''s :a', $1", ["b"]),
        ('select ":a" from t', 'select ":a" from t', []),
        ("select 1 -- not :a\n, :b", "select 1 -- not :a\n, $1", ["b"]),
        ("select 1 /* not :a\n nor :c */, :b", "select 1 /* not :a\n nor :c */, $1", ["b"]),
        ("select $$ :a $$, :b", "select $$ :a $$, $1", ["b"]),
        ("select $x$ $$ :a $$ $x$, :b", "select $x$ $$ :a $$ $x$, $1", ["b"]),
        ("select make_interval(secs => :seconds)", "select make_interval(secs => $1)", ["seconds"]),
        ("select array[:a]", "select array[$1]", ["a"]),
        ("select (array[1,2])[1:2]", "select (array[1,2])[1:2]", []),
        ("select :a_b2", "select $1", ["a_b2"]),
        ("select '{\"a\": 1}'::jsonb -> :key", "select '{\"a\": 1}'::jsonb -> $1", ["key"]),
    ],
)
def test_finds_the_parameters(text, becomes, parameters):
    query = Query("t.q", text)
    assert (query.text, query.parameters) == (becomes, parameters)


@given(st.text("'\"-/*$:ax \n", max_size=40))
def test_reads_anything(text):
    query = Query("t.q", text)
    assert len(query.parameters) == len(set(query.parameters))


def test_what_several_queries_say_stands_once(tmp_path):
    path = tmp_path / "things.sql"
    path.write_text(
        "-- Things.\n\n-- part: mine\nuser_id = :user_id\n\n-- name: one\n-- One.\nselect 1 from t where {{mine}}\n\n"
        "-- name: all\n-- All.\nselect '{}' from t where {{mine}} and a = :a\n"
    )
    file = File(path)
    assert list(file.queries) == ["one", "all"]
    assert file.one.text == "-- One.\nselect 1 from t where user_id = $1"
    assert (file.all.text.splitlines()[1], file.all.parameters) == (
        "select '{}' from t where user_id = $1 and a = $2",
        ["user_id", "a"],
    )


async def test_arguments_come_in_the_order_of_the_text():
    db = Db()
    await Query("t.q", "select :b, :a").value(db, a=1, b=2)
    assert db.asked == ("select $1, $2", (2, 1))


@pytest.mark.parametrize("arguments", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 3}])
async def test_refuses_missing_and_surplus_arguments(arguments):
    db = Db()
    with pytest.raises(TypeError, match=r"t\.q takes \['a', 'b'\]"):
        await Query("t.q", "select :a, :b").run(db, **arguments)
    assert db.asked is None


@pytest.mark.parametrize(("tag", "count"), [("UPDATE 3", 3), ("INSERT 0 2", 2), ("DELETE 0", 0), ("CREATE TABLE", 0)])
async def test_running_tells_how_many_rows(tag, count):
    assert await Query("t.q", "x").run(Db(tag)) == count


def test_a_file_is_named_queries(tmp_path):
    (tmp_path / "things.sql").write_text(
        "-- About things.\n\n-- name: one\n-- Why.\nselect 1\n\n-- name: two\nselect :a\n"
    )
    things = File(tmp_path / "things.sql")
    assert things.one.text == "-- Why.\nselect 1"
    assert (things.two.name, things.two.parameters) == ("things.two", ["a"])
    with pytest.raises(AttributeError, match="three"):
        _ = things.three


def test_a_folder_is_files(tmp_path):
    (tmp_path / "things.sql").write_text("-- name: one\nselect 1\n")
    folder = Folder(tmp_path)
    assert folder.things.one is folder.things.one
    with pytest.raises(AttributeError, match=r"sql/stuff\.sql"):
        _ = folder.stuff
