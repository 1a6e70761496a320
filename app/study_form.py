"""A study as a form: where it comes from, and its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from settings import Places, ask

from archgen import yamlfile
from archgen.explorer import launch
from archgen.explorer.settings import settings
from archgen.study.definition import Study


def choose() -> tuple[str, launch.StudyText]:
    """Ask for a study: a shipped one, an earlier search, or a file; give it with a key of its own.

    Raises:
        ArchError: It cannot be read.
    """
    listed, own = st.columns(2)
    origin = listed.selectbox(
        "Study", launch.origins(), key="space", bind="query-params",
        help="The shipped studies, and the searches in studies/runs, to go on with.",
    )  # fmt: skip
    with own.expander("A study file of your own", icon=":material/upload_file:"):
        study = st.file_uploader("Study (YAML)", type=["yaml", "yml"])
        spec = st.file_uploader("Its spec, unless it names a shipped one", type=["yaml", "yml"])
    if study is None:
        return origin, launch.written(origin)
    text = launch.uploaded(study.getvalue(), study.name)
    if spec is None:
        return study.file_id, launch.StudyText(text, file=study.name)
    its = launch.uploaded(spec.getvalue(), spec.name)
    return study.file_id, launch.StudyText(text, its, study.name, spec.name)


def ask_numbers(study: Study, key: str, places: Places) -> dict[str, Any]:
    """Ask for a study's numbers, and give those that were changed, by dotted path.

    Args:
        study: Whose numbers they are.
        key: What tells the widgets from those of another study.
        places: Filled with where mistakes in each setting can be told.

    Raises:
        ArchError: What varies is no YAML.
    """
    sampler = [
        replace(each, label=f"Sampler, {each.label.lower()}")
        for each in settings(study.sampler, "sampler")
    ]
    changes = ask([*settings(study, without=["spec"]), *sampler], key, places, columns=5)
    st.caption("Limits on the exact costs of each candidate")
    changes |= ask(launch.limits(study), key, places, columns=4)
    with st.expander("Training"):
        changes |= ask(settings(study.train, "train", without=["recipe"]), key, places, columns=4)
    with st.expander("Giving up early"):
        changes |= ask(settings(study.pruner, "pruner"), key, places, columns=4)
    with st.expander("What varies"):
        before = study.data()["vary"]
        text = st.text_area(
            "Dotted paths into the spec, each with the values that it takes",
            yamlfile.dump(before), height="content", key=f"{key}:vary",
        )  # fmt: skip
        places["vary"] = st.empty()
        varied = yamlfile.parse(text, "what varies").value
        return changes | ({"vary": varied} if varied != before else {})
