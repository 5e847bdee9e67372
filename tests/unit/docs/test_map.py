"""The drawing of the rooms in docs/development.md, held against the code."""

from scripts.draw_map import DOCUMENT, Arrows, chart, fill, find_arrows, reduce_arrows

ARROWS: Arrows = {"client": {"server.a", "server.b"}, "server.a": {"server.b"}, "server.b": set()}


def test_it_is_what_make_map_draws() -> None:
    text = DOCUMENT.read_text()
    assert "  client --> machine\n" in text
    assert fill(text) == text


def test_an_outdated_one_is_drawn_anew() -> None:
    text = DOCUMENT.read_text()
    assert fill(text.replace("  client --> machine\n", "  client --> server.store\n")) == text


def test_an_import_in_any_depth_is_an_arrow_between_rooms() -> None:
    arrows = find_arrows()
    assert "server.auth" in arrows["server.transport"]
    assert "machine" in arrows["client"]
    assert not any(room in others for room, others in arrows.items())


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    assert reduce_arrows(ARROWS) == {"client": {"server.a"}, "server.a": {"server.b"}, "server.b": set()}


def test_rooms_of_the_server_are_in_its_box() -> None:
    assert chart(ARROWS).splitlines() == [
        "```mermaid",
        "flowchart TD",
        "  subgraph server",
        "    server.a[a]",
        "    server.b[b]",
        "  end",
        "  client --> server.a",
        "  client --> server.b",
        "  server.a --> server.b",
        "```",
    ]
