import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from tests.zim_model.conftest import hub_names, random_vitmatte
from tests.zim_model.evaluation.conftest import (
    BOX,
    CLICKS,
    INLINE,
    MODEL,
    POINT,
    FakeEngine,
    blank,
    rows_of,
    run,
)
from zim_model.errors import WeightsError, ZimError
from zim_model.evaluation import (
    DegradationEvent,
    EvaluationOptions,
    Finished,
    ModelSystem,
    Paused,
    PromptKind,
    Resumed,
    RowDone,
    RunControl,
    Shard,
    Started,
    compute_metrics,
    evaluate,
    open_dataset,
)
from zim_model.evaluation.journal import find_journals, merge_journals, read_journal
from zim_model.evaluation.measures import unknown_region
from zim_model.evaluation.reading import as_alpha, read_matte
from zim_model.evaluation.report import Report
from zim_model.prompts import Box


def test_every_case_is_predicted_with_every_prompt(mini, tmp_path, engine):
    events = run(mini, tmp_path, engine, prompts=(POINT, BOX, CLICKS))
    total = 3 * len(mini.cases)
    assert events[0] == Started(total, (), read_journal(tmp_path / "rows.jsonl")[0])
    done = [event for event in events if isinstance(event, RowDone)]
    assert [(e.done, e.total) for e in done] == [
        (i, total) for i in range(1, total + 1)
    ]
    assert isinstance(events[-1], Finished)
    assert events[-1].complete
    assert {row.key for row in rows_of(events)} == {
        ("m", case.name, prompt)
        for case in mini.cases
        for prompt in ("point", "box", "clicks:3")
    }
    assert not any(row.error for row in rows_of(events))


def test_a_row_has_the_errors_of_the_matte(mini, tmp_path, engine):
    (row, *_) = rows_of(run(mini, tmp_path, engine))
    case = next(case for case in mini.cases if case.name == row.case)
    truth = as_alpha(read_matte(case.matte))
    answer = np.zeros_like(truth)
    x0, y0, x1, y1 = json.loads(case.prompts.read_text())["bbox"]
    answer[y0:y1, x0:x1] = int(0.75 * 65535) / 65535
    expected = compute_metrics(answer, truth, unknown_region(truth))
    assert row.metrics == pytest.approx(expected)
    assert row.prompt_set.box == Box(x0, y0, x1, y1)
    assert row.area == pytest.approx((truth > 0.3).mean())
    assert (row.device, row.encode_ms, row.click_ms) == ("fake", 3, 2)


def test_the_cases_of_an_image_are_predicted_in_turn(mini, tmp_path, engine):
    run(mini, tmp_path, engine, systems=(MODEL, ModelSystem("n", "n")))
    keys = [request.image_key for request in engine.requests]
    changes = sum(a != b for a, b in pairwise(keys))
    assert changes == len(mini.cases_by_image()) - 1
    assert not any(request.cacheable for request in engine.requests)


def test_points_of_the_data_set_are_used_and_clicks_are_simulated(
    mini, tmp_path, engine
):
    events = run(mini, tmp_path, engine, prompts=(POINT, CLICKS))
    point, clicks = rows_of(events)[:2]
    case = next(case for case in mini.cases if case.name == point.case)
    points = json.loads(case.prompts.read_text())["point"]
    assert [[p.x, p.y, int(p.positive)] for p in point.prompt_set.points] == points[:-1]
    assert len(clicks.curve) == 3
    assert len(clicks.prompt_set.points) == 3
    assert clicks.curve[-1]["SAD"] == pytest.approx(clicks.metrics["SAD"])
    assert clicks.curve[-1]["IoU"] == pytest.approx(clicks.metrics["IoU"])
    assert clicks.metrics["NoC@85"] <= 3
    assert events[-1].report.curves()["m", "clicks:3"][0].keys() == {
        "SAD",
        "MSE",
        "IoU",
    }


def test_processes_measure_the_same(mini, tmp_path, engine):
    inline = run(mini, tmp_path / "a", engine)[-1].report
    options = EvaluationOptions(jobs=2)
    spread = run(mini, tmp_path / "b", engine, options=options)[-1].report
    assert [r.metrics for r in spread.rows] == [r.metrics for r in inline.rows]
    assert spread.groups() == inline.groups()


def test_a_segmenter_is_made_hard_before_it_is_scored(mini, tmp_path):
    soft = rows_of(run(mini, tmp_path / "a", FakeEngine()))[0]
    hard = rows_of(run(mini, tmp_path / "b", FakeEngine("sam")))[0]
    assert hard.metrics["IoU"] == soft.metrics["IoU"]
    assert hard.metrics["MSE"] != soft.metrics["MSE"]


# --- what cannot be measured ----------------------------------------------------------


def break_image(root):
    (root / "img/0001.png").write_bytes(b"no image")


def remove_matte(root):
    (root / "matte/fine/0001_1.png").unlink()


def empty_matte(root):
    blank(root / "matte/fine/0001_1.png")


def shrink_matte(root):
    Image.new("L", (10, 10), 255).save(root / "matte/fine/0001_1.png")


def break_prompts(root):
    (root / "prompt/fine/0001_1.json").write_text("{")


def move_prompts(root):
    (root / "prompt/fine/0001_1.json").write_text('{"bbox": [0, 0, 9000, 9000]}')


def remove_prompts(root):
    (root / "prompt/fine/0001_1.json").unlink()


def no_box(root):
    (root / "prompt/fine/0001_1.json").write_text('{"point": [[3, 4, 1]]}')


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (break_image, "0001.png is no image"),
        (remove_matte, "no such file"),
        (empty_matte, "is empty"),
        (shrink_matte, "10 x 10 pixels, but 0001.png is"),
        (break_prompts, "no JSON"),
        (move_prompts, "reaches outside the image"),
        (remove_prompts, "no such file"),
        (no_box, "has no prompt of the kind box"),
    ],
)
def test_what_is_wrong_is_named_and_left_out(copy, tmp_path, engine, harm, reason):
    harm(copy)
    report = run(open_dataset(copy), tmp_path / "out", engine)[-1].report
    wrong = report.failed
    names = {row.case for row in wrong}
    assert "fine/0001_1" in names
    assert all(reason in row.error and not row.metrics for row in wrong)
    assert (len(wrong) > 1) == (harm is break_image)
    whole = report.groups()[0]
    assert (whole.count, whole.failed) == (len(report.rows) - len(wrong), len(wrong))
    others = [row.metrics["SAD"] for row in report.rows if not row.error]
    assert whole.means["SAD"] == pytest.approx(np.mean(others))
    assert not report.has_no_failures


def test_a_repaired_case_is_repeated_and_the_others_are_not(copy, tmp_path, engine):
    out, good = tmp_path / "out", (copy / "prompt/fine/0001_1.json").read_text()
    break_prompts(copy)
    run(open_dataset(copy), out, engine)
    (copy / "prompt/fine/0001_1.json").write_text(good)
    engine.requests.clear()
    resumed = run(open_dataset(copy), out, engine, options=replace(INLINE, resume=True))
    assert [row.case for row in rows_of(resumed)] == ["fine/0001_1"]
    assert len(engine.requests) == 1
    assert resumed[-1].report.has_no_failures


def test_a_matte_that_changed_is_measured_again(copy, tmp_path, engine):
    out, path = tmp_path / "out", copy / "matte/coarse/0001_2.png"
    run(open_dataset(copy), out, engine)
    Image.new("L", (420, 300), 200).save(path)
    options = replace(INLINE, resume=True)
    resumed = run(open_dataset(copy), out, engine, options=options)
    assert [row.case for row in rows_of(resumed)] == ["coarse/0001_2"]


def test_a_refusal_of_the_model_is_no_end(mini, tmp_path, engine):
    engine.refuses = "0002"
    report = run(mini, tmp_path, engine)[-1].report
    assert {row.error for row in report.failed} == {"This model does not like it."}
    assert {row.case.split("/")[1][:4] for row in report.failed} == {"0002"}


def test_a_model_that_cannot_be_used_is_an_end_before_anything(mini, tmp_path, engine):
    def refuse(model):
        raise WeightsError("no such model")

    engine.backend = refuse
    with pytest.raises(WeightsError):
        run(mini, tmp_path / "out", engine)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("systems", [(), (MODEL, ModelSystem("other", "m"))])
def test_systems_must_have_different_names(mini, tmp_path, engine, systems):
    with pytest.raises(ZimError):
        run(mini, tmp_path, engine, systems=systems)


# --- pausing, cancelling, resuming ----------------------------------------------------


def test_a_run_that_is_cancelled_goes_on_where_it_was(mini, tmp_path, engine):
    control = RunControl()
    events = []
    for event in evaluate(
        mini, [MODEL], tmp_path, options=INLINE, control=control, engine=engine
    ):
        events.append(event)
        if isinstance(event, RowDone) and event.done == 3:
            control.cancel()
    first = rows_of(events)
    assert isinstance(events[-1], Finished)
    assert not events[-1].complete
    assert events[-1].report.missing == 2 * len(mini.cases) - len(first)
    options = replace(INLINE, resume=True)
    second = run(mini, tmp_path, engine, prompts=(POINT, BOX), options=options)
    assert {row.key for row in second[0].rows} == {row.key for row in first}
    assert len(first) + len(rows_of(second)) == 2 * len(mini.cases)
    assert not {r.key for r in first} & {r.key for r in rows_of(second)}
    whole = run(mini, tmp_path / "again", engine, prompts=(POINT, BOX))
    assert second[-1].report.groups() == whole[-1].report.groups()


def test_a_closed_generator_keeps_its_yielded_rows(mini, tmp_path, engine):
    events = evaluate(mini, [MODEL], tmp_path, options=INLINE, engine=engine)
    received = [next(events), next(events), next(events)]
    events.close()
    _, rows = read_journal(tmp_path / "rows.jsonl")
    assert set(rows) == {row.key for row in rows_of(received)}


def test_a_pause_waits_with_everything_on_the_disk(mini, tmp_path, engine):
    control = RunControl()
    events = evaluate(
        mini,
        [MODEL],
        tmp_path,
        prompts=(BOX,),
        options=INLINE,
        control=control,
        engine=engine,
    )
    next(events)
    next(events)
    control.pause()
    received = []
    for event in events:
        received.append(event)
        if isinstance(event, Paused):
            assert control.paused
            _, rows = read_journal(tmp_path / "rows.jsonl")
            assert len(rows) == len(engine.requests)
            control.resume()
    kinds = [type(event) for event in received]
    assert kinds.index(Resumed) == kinds.index(Paused) + 1
    assert received[-1].complete


def test_a_paused_run_can_be_cancelled(mini, tmp_path, engine):
    control = RunControl()
    control.pause()
    for event in evaluate(
        mini, [MODEL], tmp_path, options=INLINE, control=control, engine=engine
    ):
        if isinstance(event, Paused):
            control.cancel()
    assert not event.complete
    assert not engine.requests


def test_a_half_written_line_is_done_again(mini, tmp_path, engine):
    run(mini, tmp_path, engine)
    path = tmp_path / "rows.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    resumed = run(mini, tmp_path, engine, options=replace(INLINE, resume=True))
    assert len(rows_of(resumed)) == 1
    assert resumed[-1].complete


def test_two_runs_do_not_write_to_one_journal(mini, tmp_path, engine):
    first = evaluate(mini, [MODEL], tmp_path, options=INLINE, engine=engine)
    next(first)
    with pytest.raises(ZimError, match="Another run"):
        run(mini, tmp_path, engine, options=replace(INLINE, resume=True))
    first.close()
    assert run(mini, tmp_path, engine, options=replace(INLINE, resume=True))


def test_the_journal_says_which_trimap_network(mini, tmp_path, engine, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    options = replace(INLINE, upsampling="trimap")
    with pytest.raises(WeightsError, match="No trimap network"):
        run(mini, tmp_path / "a", engine, options=options)
    folder = tmp_path / "models" / "hairy"
    folder.mkdir(parents=True)
    save_file(hub_names(random_vitmatte()), folder / "model.safetensors")
    (*_, finished) = run(mini, tmp_path / "b", engine, options=options)
    config = finished.report.config
    assert config.options["trimap network"] == "hairy"
    model_options = config.model_options(MODEL.name)
    assert model_options.upsampling == "trimap"
    assert model_options.trimap_network == "hairy"


def test_results_are_never_mixed_with_others(mini, tmp_path, engine):
    run(mini, tmp_path, engine)
    with pytest.raises(ZimError, match="earlier run"):
        run(mini, tmp_path, engine)
    options = replace(INLINE, resume=True, upsampling="bilinear")
    with pytest.raises(ZimError, match="upsampling is guided there and bilinear now"):
        run(mini, tmp_path, engine, options=options)
    other = FakeEngine(fingerprint="other")
    with pytest.raises(ZimError, match="m is abc-m there and other-m now"):
        run(mini, tmp_path, other, options=replace(INLINE, resume=True))
    renamed = replace(mini, name="else")
    with pytest.raises(ZimError, match="dataset is MicroMat3K there and else now"):
        run(renamed, tmp_path, engine, options=replace(INLINE, resume=True))


def test_a_run_may_grow_by_models_and_prompts(mini, tmp_path, engine):
    run(mini, tmp_path, engine)
    count = len(engine.requests)
    options = replace(INLINE, resume=True)
    more = run(
        mini,
        tmp_path,
        engine,
        systems=(MODEL, ModelSystem("n", "n")),
        prompts=(BOX, POINT),
        options=options,
    )
    assert len(engine.requests) == count + 3 * len(mini.cases)
    assert more[-1].complete


def test_shards_join_to_the_same_means(mini, tmp_path, engine):
    whole = run(mini, tmp_path / "whole", engine)[-1].report
    folders = []
    for index in (1, 2):
        out = tmp_path / "parts" if index == 1 else tmp_path / "more"
        run(mini, out, engine, options=replace(INLINE, shard=Shard(index, 2)))
        folders.append(out)
    paths = [path for folder in folders for path in find_journals(folder)]
    assert [p.name for p in paths] == ["rows-1-of-2.jsonl", "rows-2-of-2.jsonl"]
    config, rows = merge_journals(paths)
    report = Report.from_rows(config, rows.values(), len(mini.cases))
    assert report.groups() == whole.groups()
    assert report.missing == 0


def test_flip_tta_is_used_with_the_option(mini, tmp_path, engine):
    run(mini, tmp_path, engine, options=replace(INLINE, flip_tta=True))
    assert all(request.recipe.options.flip_tta for request in engine.requests)
    with pytest.raises(ZimError, match="mirrored is yes there and no now"):
        run(mini, tmp_path, engine, options=replace(INLINE, resume=True))


def test_a_limit_spreads_over_the_set(mini, tmp_path, engine):
    options = replace(INLINE, limit=2)
    names = [row.case for row in rows_of(run(mini, tmp_path, engine, options=options))]
    assert names == [mini.cases[0].name, mini.cases[-1].name]


def test_degradations_are_reported_once(mini, tmp_path, engine):
    engine.notes = ("Too little memory.",)
    events = run(mini, tmp_path, engine)
    assert [e.text for e in events if isinstance(e, DegradationEvent)] == [
        "Too little memory."
    ]


# --- without stored prompts -----------------------------------------------------------


def test_prompts_come_from_the_matte_where_a_data_set_has_none(tmp_path, engine):
    alpha = np.zeros((60, 80), np.uint8)
    alpha[20:40, 10:50] = 255
    alpha[19, 10:50] = 20  # too faint for the box
    for folder in ("images", "mattes"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (80, 60)).save(tmp_path / "images/a.png")
    Image.fromarray(alpha).save(tmp_path / "mattes/a.png")
    dataset = open_dataset(tmp_path)
    point, box = rows_of(run(dataset, tmp_path / "out", engine, prompts=(POINT, BOX)))
    assert box.prompt_set.box == Box(10, 20, 50, 40)
    (click,) = point.prompt_set.points
    assert click.positive
    assert alpha[int(click.y), int(click.x)] == 255


def test_a_matte_that_is_too_faint_cannot_be_clicked_on(tmp_path, engine):
    for folder in ("images", "mattes"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "images/a.png")
    Image.new("L", (20, 20), 90).save(tmp_path / "mattes/a.png")
    rows = rows_of(
        run(open_dataset(tmp_path), tmp_path / "out", engine, prompts=(POINT, BOX))
    )
    assert "too faint" in rows[0].error
    assert not rows[1].error


def test_a_data_sets_own_trimaps_can_be_used(tmp_path, engine):
    for folder in ("images", "mattes", "trimaps"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images/a.png")
    matte = np.zeros((30, 40), np.uint8)
    matte[10:20, 10:20] = 255
    Image.fromarray(matte).save(tmp_path / "mattes/a.png")
    trimap = np.zeros((30, 40), np.uint8)
    trimap[12:14, 12:14] = 128
    Image.fromarray(trimap).save(tmp_path / "trimaps/a.png")
    dataset = open_dataset(tmp_path)
    (row,) = rows_of(run(dataset, tmp_path / "out", engine))
    assert row.metrics["SAD (DIM)"] == pytest.approx(4 * 0.25 / 1000, rel=1e-4)
    Image.new("L", (3, 3), 128).save(tmp_path / "trimaps/a.png")
    (row,) = rows_of(run(dataset, tmp_path / "out2", engine))
    assert "3 x 3 pixels" in row.error


@pytest.mark.parametrize("text", ["boxes", "clicks:0", "clicks:99", "clicks:x", ""])
def test_other_kinds_of_prompt_are_refused(text):
    with pytest.raises(ZimError):
        PromptKind.parse(text)


@pytest.mark.parametrize("text", ["point", "box", "clicks:7"])
def test_kinds_of_prompt_read_back(text):
    assert str(PromptKind.parse(text)) == text
