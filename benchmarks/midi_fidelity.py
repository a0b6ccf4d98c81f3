"""Are the notes of an exported MIDI file those of the score, played out?

    python benchmarks/midi_fidelity.py [--lieder 85] [--quartets 15] [--state FILE]

For scores of the two OpenScore folders (``ENSEMBLE_DATA`` or ``../shared/data`` beside the
repository) the expected notes are worked out here, straight from the MusicXML with lxml,
by code that shares nothing with the exporter: its own reading of durations, voices and
ties, its own way of unfolding repeats (sections are expanded first, jumps are laid over
them), its own bar lengths. The MIDI file is read back with mido. Part by part the two sets
of (onset, pitch, duration) are matched, with one tick of tolerance; grace notes and the
notes they take their time from are held to the rule the exporter documents.

With ``--state`` results are kept, one JSON line a score, and a second run goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

RESOLUTION = 480
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def read_mxl(path):
    """The MusicXML inside a compressed file."""
    with zipfile.ZipFile(path) as archive:
        inside = re.search(rb'full-path="([^"]+)"', archive.read("META-INF/container.xml"))
        return archive.read(inside.group(1).decode())


# --- the order of the bars -------------------------------------------------------------


def roadmap(root):
    """Per bar a dict of what stands there, from all parts."""
    measures = max((len(part.findall("measure")) for part in root.findall("part")), default=0)
    signs = [defaultdict(lambda: None) for _ in range(measures)]
    for part in root.findall("part"):
        for sign, measure in zip(signs, part.findall("measure"), strict=False):
            sign["number"] = measure.get("number")
            sign["implicit"] = sign["implicit"] or measure.get("implicit") == "yes"
            for barline in measure.findall("barline"):
                side = barline.get("location", "right")
                style = barline.findtext("bar-style") or ""
                if len(barline.xpath("repeat|ending")) or "heavy" in style or "light-" in style:
                    sign["edge-" + side] = True
                for repeat in barline.findall("repeat"):
                    if repeat.get("direction") == "forward":
                        sign["open"] = True
                    else:
                        sign["close"] = max(sign["close"] or 0, int(repeat.get("times", 2)))
                        sign["after-jump"] = repeat.get("after-jump") == "yes"
                for ending in barline.findall("ending"):
                    if ending.get("type") == "start":
                        sign["volta"] = {int(n) for n in re.findall(r"\d+", ending.get("number"))}
                    else:
                        sign["volta-end"] = True
            for direction in measure.findall("direction"):
                jumps = read_jumps(direction)
                sign.update(jumps)
                for kind in ("segno", "coda"):
                    if direction.find(f"direction-type/{kind}") is not None and not jumps:
                        labels = [s.get(kind) for s in direction.findall("sound") if s.get(kind)]
                        sign[kind] = (sign[kind] or []) + (labels or [""])
    return signs


def read_jumps(direction):
    """Fine and jumps of one direction: what its sound says, else its words."""
    found = {}
    for sound in direction.findall("sound"):
        for attribute in ("fine", "dacapo", "dalsegno", "tocoda"):
            if sound.get(attribute):
                found[attribute] = sound.get(attribute)
    if found:
        return found
    words = " ".join(w.text or "" for w in direction.findall("direction-type/words")).lower()
    if re.fullmatch(r"\W*fine\W*", words):
        return {"fine": "yes"}
    if re.search(r"\bd\.? ?s\b|dal segno", words):
        return {"dalsegno": ""}
    if re.search(r"\bd\.? ?c\b|da capo", words):
        return {"dacapo": "yes"}
    return {"tocoda": ""} if re.search(r"\b(to|alla) coda\b", words) else {}


def split_movements(signs):
    """Lists of bar indices; a movement begins where numbering restarts after a double barline."""
    numbers = [s["number"] if (s["number"] or "").isdigit() else "" for s in signs]
    cuts = []
    for index in range(1, len(signs)):
        earlier = [int(n) for n in numbers[:index] if n]
        if numbers[index] not in ("0", "1") or not earlier or earlier[-1] <= 1:
            continue
        pick_up = signs[index - 1]["implicit"] and not signs[index - 1]["edge-right"]
        cut = index - 1 if pick_up else index
        last = signs[cut - 1]
        if cut and (last["edge-right"] or last["dacapo"] or last["dalsegno"] is not None):
            cuts.append(cut)
    edges = pairwise([0, *cuts, len(signs)])
    return [list(range(begin, end)) for begin, end in edges if end > begin]


def voltas(signs, first, last):
    """(begin, end, passes) of every bracket."""
    found, index = [], first
    while index <= last:
        if signs[index]["volta"]:
            begin = index
            while index < last and not (
                signs[index]["volta-end"] or signs[index]["close"] or signs[index + 1]["volta"]
            ):
                index += 1
            found.append((begin, index, set(signs[begin]["volta"])))
        index += 1
    return found


def sections(signs, first, last):
    """Repeated sections: (begin, end, passes, [(volta begin, volta end, passes)])."""
    brackets, found, after = voltas(signs, first, last), [], first
    for close in range(first, last + 1):
        if not signs[close]["close"] or close < after:
            continue
        begin = max([after, *(i for i in range(after, close + 1) if signs[i]["open"])])
        end = close
        for bracket in brackets:
            if bracket[0] == end + 1 and 1 not in bracket[2]:
                end = bracket[1]
        own = [b for b in brackets if begin <= b[0] and b[1] <= end]
        numbers = set().union(*(b[2] for b in own))
        closes = [signs[i]["close"] or 0 for i in range(begin, end + 1)]
        total = max([*numbers, *closes])
        tail = [b for b in own if b[1] >= close]
        if len(tail) == 1 and tail[0][1] == end and signs[end]["close"]:
            total = max(total, max(tail[0][2]) + 1)
        for turn in range(2, total + 1):
            lower = [b for b in tail if max(b[2]) < turn]
            if turn not in numbers and len(tail) > 1 and lower:
                lower[-1][2].add(turn)
        found.append((begin, end, total, own))
        after = end + 1
    return found


def unfold(signs, first, last, *, jumped=False):
    """Bars from first to last with repeats expanded; after a jump: last endings only."""
    order, here = [], first
    for begin, end, total, own in sections(signs, first, last):
        order += range(here, begin)
        again = not jumped or any(signs[i]["after-jump"] for i in range(begin, end + 1))
        for turn in range(1, total + 1) if again else [total]:
            for index in range(begin, end + 1):
                if all(turn in v[2] for v in own if v[0] <= index <= v[1]):
                    order.append(index)
                    if signs[index]["close"] and turn < total:
                        break
        here = end + 1
    return order + list(range(here, last + 1))


def play_movement(signs, first, last):
    """Bars of one movement in playing order."""
    order = unfold(signs, first, last)
    for jump in range(first, last + 1):
        sign = signs[jump]
        if not (sign["dacapo"] or sign["dalsegno"] is not None):
            continue
        target = (
            first
            if sign["dalsegno"] is None
            else place(signs, "segno", sign["dalsegno"], first, last)
        )
        if target is None or jump not in order:
            continue
        upto = len(order) - order[::-1].index(jump)
        again = unfold(signs, target, last, jumped=True)
        tail = order[upto:]
        for position, index in enumerate(again):
            if signs[index]["tocoda"] is not None:
                coda = place(signs, "coda", signs[index]["tocoda"], index + 1, last)
                if coda is not None:
                    again, tail = again[: position + 1], unfold(signs, coda, last)
                    break
            if signs[index]["fine"]:
                again, tail = again[: position + 1], []
                break
            if index == jump:
                again = again[: position + 1]
                break
        order = order[:upto] + again + tail
    whole = range(first, last + 1)
    return order if set(order) == set(whole) else list(whole)


def place(signs, kind, label, first, last):
    there = [i for i in range(first, last + 1) if signs[i][kind]]
    named = [i for i in there if label in signs[i][kind]]
    return (named or there or [None])[0]


# --- the notes ---------------------------------------------------------------------------


def read_notes(root, signs):
    """Per part the written pieces, and the length of every bar."""
    concert = root.find("defaults/concert-score") is not None
    drums = {}
    for midi in root.iterfind("part-list/score-part/midi-instrument"):
        key = midi.findtext("midi-unpitched")
        if key:
            drums[midi.get("id")] = int(key) - 1
    parts, reach, nominal = [], [defaultdict(Fraction) for _ in signs], [None] * len(signs)
    for number, part in enumerate(root.findall("part")):
        divisions, shift, pieces = Fraction(1), 0, []
        for bar, measure in enumerate(part.findall("measure")):
            now, onset = Fraction(0), Fraction(0)
            grace_count = Counter()
            for element in measure:
                if element.tag == "attributes":
                    divisions = Fraction(element.findtext("divisions") or divisions)
                    beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
                    if beats:
                        here = Fraction(4 * sum(map(int, beats.split("+"))), int(unit))
                        nominal[bar] = max(here, nominal[bar] or here)
                    transpose = element.find("transpose")
                    if transpose is not None and not concert:
                        shift = int(transpose.findtext("chromatic") or 0)
                        shift += 12 * int(transpose.findtext("octave-change") or 0)
                elif element.tag == "backup":
                    now -= Fraction(element.findtext("duration")) / divisions
                elif element.tag == "forward":
                    now += Fraction(element.findtext("duration")) / divisions
                    reach[bar]["any"] = max(reach[bar]["any"], now)
                elif element.tag == "note":
                    voice = element.findtext("voice") or "1"
                    length = Fraction(element.findtext("duration") or 0) / divisions
                    grace = element.find("grace") is not None
                    if element.find("chord") is None:
                        onset = now
                        now += length
                        staff = (number, element.findtext("staff") or "1")
                        if not grace:
                            reach[bar][staff] = max(reach[bar][staff], now)
                    if element.find("cue") is not None or element.find("rest") is not None:
                        continue
                    if grace and element.find("chord") is None:
                        grace_count[(onset, voice)] += 1
                    pitch = sounding(element, shift, drums)
                    ties = {tie.get("type") for tie in element.findall("tie")}
                    place = grace_count[(onset, voice)] if grace else 0
                    pieces.append((bar, onset, length, pitch, voice, ties, place))
        parts.append(pieces)
    return parts, bar_lengths(signs, reach, nominal)


def sounding(note, shift, drums):
    if note.find("unpitched") is not None:
        return drums.get(note.find("instrument").get("id"), 38)
    pitch = note.find("pitch")
    alter = float(pitch.findtext("alter") or 0)
    step = STEPS[pitch.findtext("step")] + int(alter + 100.5) - 100
    return step + 12 * (int(pitch.findtext("octave")) + 1) + shift


def bar_lengths(signs, reach, nominal):
    """The longest voice; a short bar that is not meant to be short is filled up."""
    edges = {i for piece in split_movements(signs) for i in (piece[0], piece[-1])}
    lengths, held = [], None
    for index, ends in enumerate(reach):
        held = nominal[index] or held
        longest = max(ends.values(), default=Fraction(0))
        near = index in edges or signs[index]["implicit"]
        for other, side in (
            (index, "left"),
            (index, "right"),
            (index - 1, "right"),
            (index + 1, "left"),
        ):
            near = near or (0 <= other < len(signs) and signs[other]["edge-" + side])
        staves = [end for staff, end in ends.items() if staff != "any"]
        agree = len(staves) > 1 and set(staves) == {longest}
        short = held is not None and longest < held and not (longest and (near or agree))
        lengths.append(held if short else longest or Fraction(4))
    return lengths


def expected(root):
    """Per part a list of (onset, duration, pitch) in quarter notes, graces included; counts."""
    signs = roadmap(root)
    pieces, lengths = read_notes(root, signs)
    order = [
        i for piece in split_movements(signs) for i in play_movement(signs, piece[0], piece[-1])
    ]
    counts = Counter(bars=len(signs), played=len(order))
    parts = []
    for part in pieces:
        by_bar, time_now, flat, graces = defaultdict(list), Fraction(0), [], defaultdict(list)
        for piece in part:
            by_bar[piece[0]].append(piece)
        for bar in order:
            for _, onset, length, pitch, voice, ties, place in by_bar[bar]:
                if place:
                    graces[(time_now + onset, voice)].append((place, pitch))
                elif length:
                    flat.append([time_now + onset, length, pitch, voice, ties])
            time_now += lengths[bar]
        notes = join_ties(flat, counts)
        parts.append(notes + add_graces(notes, graces, counts))
    return parts, counts


def join_ties(flat, counts):
    """Pieces that begin where a tied piece of that pitch ends are part of it."""
    flat.sort(key=lambda piece: (piece[0], piece[2], piece[3]))
    ends, notes = defaultdict(list), []
    for onset, length, pitch, voice, ties in flat:
        held = sorted(ends.pop((onset, pitch), []), key=lambda note: note[3] != voice)
        if held and "stop" in ties:
            note = held.pop(0)
            note[1] += length
            note[3] = voice
            counts["ties"] += 1
        else:
            note = [onset, length, pitch, voice]
            notes.append(note)
        if held:
            ends[(onset, pitch)] = held
        if "start" in ties:
            ends[(onset + length, pitch)].append(note)
    return notes


def add_graces(notes, graces, counts):
    """The documented rule: an eighth of a quarter each, at most half of the note before."""
    added, voices, ending = [], defaultdict(list), defaultdict(list)
    for note in notes:
        voices[note[3]].append(note)
        ending[(note[3], note[0] + note[1])].append(note)
    for (moment, voice), group in sorted(graces.items()):
        steps = max(place for place, _ in group)
        before = ending[(voice, moment)]
        if before:
            room = min(n[1] for n in before) / 2
        else:
            room = moment - max(
                [n[0] + n[1] for n in voices[voice] if n[0] + n[1] <= moment],
                default=Fraction(0),
            )
        total = min(Fraction(steps, 8), room)
        begin = moment - total
        for note in before:
            note[1] -= total
            counts["shortened"] += 1
        if not total:
            main = [n for n in voices[voice] if n[0] == moment]
            total = min([Fraction(steps, 8), *(n[1] / 2 for n in main)])
            for note in main:
                note[0], note[1] = note[0] + total, note[1] - total
        for place, pitch in group:
            added.append([begin + total / steps * (place - 1), total / steps, pitch, voice])
            counts["graces"] += 1
    return added


# --- the comparison ----------------------------------------------------------------------


def read_midi(path):
    """Per track after the first a list of (onset, duration, pitch) in ticks."""
    import mido

    file = mido.MidiFile(path)
    tracks = []
    for track in file.tracks[1:]:
        now, open_notes, notes = 0, defaultdict(list), []
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                open_notes[(message.channel, message.note)].append(now)
            elif message.type in ("note_on", "note_off"):
                start = open_notes[(message.channel, message.note)].pop(0)
                notes.append((start, now - start, message.note))
        assert not any(open_notes.values()), "a note never ends"
        tracks.append(notes)
    return file.ticks_per_beat, tracks


def compare(wanted, found, resolution):
    """Notes of the one that are missing in the other, both ways, within a tick."""
    pools = defaultdict(list)
    for onset, length, pitch in found:
        pools[pitch].append((onset, length))
    for pool in pools.values():
        pool.sort()
    missing = []
    for onset, length, pitch, _ in sorted(wanted):
        start, ticks = float(onset * resolution), float(length * resolution)
        fits = [
            item for item in pools[pitch] if abs(item[0] - start) <= 1 and abs(item[1] - ticks) <= 1
        ]
        if fits:
            pools[pitch].remove(min(fits, key=lambda item: abs(item[1] - ticks)))
        else:
            missing.append((float(onset), float(length), pitch))
    spare = [(o / resolution, n / resolution, p) for p, pool in pools.items() for o, n in pool]
    return missing, sorted(spare)


def name_cause(missing, spare):
    """A word for what went wrong with a part."""
    if not missing and not spare:
        return ""
    if len(missing) > 20 and len(spare) > 20 and len(missing) * 3 > len(spare):
        return "bars out of place"
    if missing and not spare:
        return "notes lost"
    if spare and not missing:
        return "notes too many"
    return (
        "lengths differ"
        if Counter(m[2] for m in missing) == Counter(s[2] for s in spare)
        else "notes differ"
    )


def judge(path):
    """Export one score and compare; a dict for the table."""
    from ensemble_midi.exporter import MidiExporter
    from ensemble_midi.options import MidiOptions
    from lxml import etree

    from ensemble_core.model import Context, Score

    data = read_mxl(path)
    messages = []
    with tempfile.TemporaryDirectory() as folder:
        context = Context(workspace=Path(folder), send=messages.append)
        begin = time.process_time()
        exporter = MidiExporter(MidiOptions(resolution=RESOLUTION))
        artifact = exporter.export(Score(musicxml=data), context)[0]
        seconds = time.process_time() - begin
        resolution, tracks = read_midi(artifact.path)
    parts, counts = expected(etree.fromstring(data))
    result = {
        "score": path.stem,
        "seconds": round(seconds, 2),
        "notes": 0,
        "missing": 0,
        "extra": 0,
    }
    result |= {"causes": {}, "examples": [], **counts}
    result["warnings"] = [m["message"] for m in messages if m["type"] == "diagnostic"]
    if len(tracks) != len(parts):
        result["causes"]["tracks differ from parts"] = 1
        result["missing"] = sum(map(len, parts))
    for wanted, found in zip(parts, tracks, strict=False):
        missing, spare = compare(wanted, found, resolution)
        result["notes"] += len(wanted)
        result["missing"] += len(missing)
        result["extra"] += len(spare)
        cause = name_cause(missing, spare)
        if cause:
            result["causes"][cause] = result["causes"].get(cause, 0) + max(len(missing), len(spare))
            result["examples"] += [["missing", *m] for m in missing[:3]]
            result["examples"] += [["extra", *s] for s in spare[:3]]
    return result


def choose(data, lieder, quartets):
    """Scores spread evenly over both folders; quartets of moderate size first."""
    chosen = []
    for folder, count in (("lieder", lieder), ("quartets", quartets)):
        files = sorted((data / "scores" / folder).glob("*.mxl"))
        step = max(1, len(files) // max(1, count))
        chosen += files[::step][:count]
    return chosen


def report(results):
    """The table."""
    print(f"{'score':38}{'bars':>6}{'played':>8}{'notes':>8}{'missing':>9}{'extra':>7}{'s':>7}")
    for r in results:
        print(
            f"{r['score']:38}{r['bars']:6}{r['played']:8}{r['notes']:8}{r['missing']:9}"
            f"{r['extra']:7}{r['seconds']:7.1f}"
        )
    total = Counter()
    causes = Counter()
    for r in results:
        total.update(
            {k: r.get(k, 0) for k in ("notes", "missing", "extra", "ties", "graces", "shortened")}
        )
        causes.update(r["causes"])
        for line in r["warnings"]:
            print(f"{r['score']}: {line}")
        for example in r["examples"][:6]:
            print(f"{r['score']}: {example}")
    wrong = max(total["missing"], total["extra"])
    rate = 100 * wrong / max(1, total["notes"])
    unfolded = sum(r["played"] != r["bars"] for r in results)
    seconds = sorted(r["seconds"] for r in results)
    print(
        f"\n{len(results)} scores ({unfolded} with repeats or jumps), {total['notes']} notes, "
        f"{total['ties']} ties joined, {total['graces']} grace notes, "
        f"{total['shortened']} notes shortened by them"
    )
    print(f"missing {total['missing']}, extra {total['extra']}: mismatch {rate:.4f} %")
    print("causes:", dict(causes) or "none needed")
    print(f"export: median {seconds[len(seconds) // 2]:.2f} s, longest {seconds[-1]:.2f} s of CPU")
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ENSEMBLE_DATA", beside)))
    parser.add_argument("--lieder", type=int, default=85)
    parser.add_argument("--quartets", type=int, default=15)
    parser.add_argument(
        "--state", type=Path, help="JSON lines; scores found there are not run again"
    )
    parser.add_argument("--only", nargs="*", help="names of scores")
    options = parser.parse_args()
    done = {}
    if options.state and options.state.exists():
        done = {r["score"]: r for r in map(json.loads, options.state.read_text().splitlines())}
    results = []
    for path in choose(options.data, options.lieder, options.quartets):
        if options.only and path.stem not in options.only:
            continue
        result = done.get(path.stem) or judge(path)
        results.append(result)
        if path.stem not in done:
            print(f"{path.stem}: {result['missing']} of {result['notes']} missing", file=sys.stderr)
            if options.state:
                with options.state.open("a") as file:
                    file.write(json.dumps(result) + "\n")
    if not results:
        sys.exit("no scores found; set ENSEMBLE_DATA")
    sys.exit(report(results) >= 0.1)


if __name__ == "__main__":
    main()
