"""The plan of a batch as one value, validated before the batch starts."""

from __future__ import annotations

import hashlib
import json
import string
from dataclasses import dataclass, field, replace
from os.path import isfile
from pathlib import Path

from zim_app.core.batch.jobs import Job, Obstacle
from zim_app.core.batch.prompt_sources import PromptPolicy, ResolvedPrompts
from zim_app.core.export_options import BATCH_EXPORT, EARLIER_BEHAVIOUR, ExportOptions
from zim_app.core.session_store import FileStamp
from zim_model.errors import ZimError, msg
from zim_model.runtime.jobs import Shard


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Jobs, prompts and export options of a batch.

    Attributes:
        jobs: the images.
        output: folder of results, reports and the journal.
        prompt_policy: allowed prompt sources.
        export: options of the results.
        replace: overwrite files that are not the batch's own; never an image of the
            input.
        shard: the part of the images that is processed.
        obstacles: what was found beside the images; reported only.
        only: the images, by :attr:`Job.relative`, that are processed now, as those that
            have just arrived; nothing else is reported.  None for all.
    """

    jobs: tuple[Job, ...]
    output: Path
    prompt_policy: PromptPolicy = field(default_factory=PromptPolicy)
    export: ExportOptions = BATCH_EXPORT
    replace: bool = False
    shard: Shard = field(default_factory=Shard)
    obstacles: tuple[Obstacle, ...] = ()
    only: frozenset[str] | None = None

    @property
    def own_jobs(self) -> tuple[Job, ...]:
        """The jobs of this shard that are processed."""
        return tuple(
            job
            for job in self.jobs
            if self.shard.contains(job.relative)
            and (self.only is None or job.relative in self.only)
        )

    @property
    def own_obstacles(self) -> tuple[Obstacle, ...]:
        """The obstacles that this shard reports."""
        return tuple(x for x in self.obstacles if self.shard.contains(x.relative))

    def validate(self) -> BatchPlan:
        """Check all that can be checked before a run; return the plan.

        Raises:
            ZimError: an option is out of range, all results would have the same name,
                the background image is missing, no prompt source is allowed, or the
                output folder is a file.
        """
        self.export.validate()
        pieces = string.Formatter().parse(self.export.template)
        if "name" not in {name for _, name, _, _ in pieces}:
            raise ZimError(
                msg(
                    "The file name {template!r} is the same for all photos.",
                    template=self.export.template,
                ),
                msg("Put {{name}} in it, which stands for the name of the photo."),
            )
        backdrop = self.export.background_image
        if backdrop is not None and not isfile(backdrop):
            raise ZimError(
                msg("There is no background {backdrop}.", backdrop=backdrop),
                msg("Choose a photo."),
            )
        policy = self.prompt_policy
        given = policy.recipes or policy.table or policy.box or policy.colour_keys
        if not (given or policy.automatic):
            raise ZimError(
                msg("There is nowhere that prompts could come from."),
                msg(
                    "Use recipes, a file of prompts, a relative box, or the main "
                    "object."
                ),
            )
        if self.output.exists() and not self.output.is_dir():
            raise ZimError(
                msg("{output} is a file.", output=self.output),
                msg("Give the path of a folder."),
            )
        return self

    def fingerprint(self, resolved: ResolvedPrompts, models: dict[str, str]) -> str:
        """Digest of all that a result depends on besides the image.

        Args:
            resolved: prompts of the image.
            models: digests of the models' weights by name.
        """
        export = replace(self.export, background_image=None).to_json()
        # Results of versions without these options are still those of these values.
        for name, value in EARLIER_BEHAVIOUR.items():
            if export[name] == value:
                del export[name]
        backdrop = self.export.background_image
        values = {
            "asked": resolved.to_json(),
            "export": export,
            "background": None if backdrop is None else _file_identity(backdrop),
            "models": {name: models[name] for name in sorted(resolved.models)},
        }
        text = json.dumps(values, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _file_identity(file: Path) -> list[object]:
    stamp = FileStamp.from_path(file)
    stat_key = None if stamp is None else [stamp.modified_ns, stamp.size]
    return [str(file.resolve()), stat_key]
