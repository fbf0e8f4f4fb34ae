"""MiniCPM-o 4.5 as one object that holds weights and pure functions, and no conversation."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from MiniCPMO45.attention import (
    AttentionBackend,
    prefer_kernels_without_plans,
    resolve_backend,
)
from MiniCPMO45.audio import AudioFeatures
from MiniCPMO45.audio_cache import AudioCache
from MiniCPMO45.audio_encoder import AudioEncoder, AudioProjector
from MiniCPMO45.batching import in_turn, together
from MiniCPMO45.checkpoint import Progress, load_weights, locate
from MiniCPMO45.configuration import MiniCPMOConfig
from MiniCPMO45.decoder import Decoder
from MiniCPMO45.encoder_graphs import LiveEar, LivePiece, TileEncoder
from MiniCPMO45.errors import CheckpointError, PromptError
from MiniCPMO45.image import ImageSettings, ImageTensors
from MiniCPMO45.inputs import Bounds, PromptInput
from MiniCPMO45.int8 import quantise_linears
from MiniCPMO45.kv_cache import KVCache
from MiniCPMO45.llm import LanguageModel, RotaryTable
from MiniCPMO45.resampler import Resampler
from MiniCPMO45.slots import slot_bytes, slots_on
from MiniCPMO45.speech_units import SpeechUnits
from MiniCPMO45.token2wav import Token2Wav
from MiniCPMO45.tokenizer import Tokenizer
from MiniCPMO45.tts import SpeechTokenGenerator
from MiniCPMO45.vision import VisionTransformer
from MiniCPMO45.vocoder import SpeechRenderer, VocoderBackend, load_renderer
from MiniCPMO45.weight_files import stored_as_integers

logger = logging.getLogger(__name__)

VOCODER_FOLDER = "assets/token2wav"
Quantization = Literal["int8"]

# Room for the longest one-shot prompt (8192), the longest answer (4096) and the opening.
DEFAULT_CAPACITY = 8192 + 4096 + 32


class MiniCPMO(nn.Module):
    """The model. Build it with :meth:`load`; converse through a session.

    Sub-modules carry the published state-dict prefixes: ``llm``, ``vpm``, ``resampler``, ``apm``,
    ``audio_projection_layer``, ``tts``.
    """

    language: Decoder
    """The language model's layers with the conversations' cache."""
    speech: Decoder
    """The same of the speech-token generator."""
    speech_units: SpeechUnits | None = None
    """Draws seconds of speech on the device, where that is captured."""
    tiles: TileEncoder
    """The vision transformer with the resampler."""
    ear: LiveEar
    """The audio encoder for live audio, with the conversations' caches."""
    tokenizer: Tokenizer
    image_settings: ImageSettings
    name: str
    vocoder: SpeechRenderer | None = None
    """Turns audio codes into sound; None when its files are not beside the weights."""

    def __init__(self, config: MiniCPMOConfig, backend: AttentionBackend = "sdpa") -> None:
        """Construct the modules; parameters are left to the current device (use ``meta``)."""
        super().__init__()
        self.config = config
        self.llm = LanguageModel(config)
        self.llm.model.backend = backend
        if config.init_vision:
            vision = config.vision_config
            if config.drop_vision_last_layer:
                kept = vision.num_hidden_layers - 1
                vision = dataclasses.replace(vision, num_hidden_layers=kept)
            self.vpm = VisionTransformer(vision, backend)
            self.resampler = Resampler(config)
        if config.init_audio:
            self.apm = AudioEncoder(config.audio_config)
            self.audio_projection_layer = AudioProjector(config)
        if config.init_tts:
            self.tts = SpeechTokenGenerator(config.tts_config)
            self.tts.model.backend = backend
        # The audio encoder has no FlashAttention path upstream either.
        self.attention_backends: dict[str, str] = {
            "llm": backend,
            "vision": backend,
            "audio": "sdpa",
            "tts": backend,
        }

    @classmethod
    def load(
        cls,
        model_path: str,
        *,
        pt_path: str | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        attn_implementation: str = "auto",
        revision: str | None = None,
        n_slots: int | None = 1,
        max_length: int = DEFAULT_CAPACITY,
        rope_freq_dtype: torch.dtype = torch.float32,
        vocoder_backend: VocoderBackend = "native",
        cuda_graphs: bool = False,
        quantization: Quantization | None = None,
        progress: Progress | None = None,
    ) -> MiniCPMO:
        """Load a checkpoint from a local folder or hub id.

        Args:
            pt_path: state dict laid over the base weights.
            dtype: bfloat16 on CUDA and float32 elsewhere by default.
            n_slots: conversations that should be open at once, as far as the memory of the device
                goes; None for as many as it holds. :attr:`n_slots` says how many there are.
            max_length: KV-cache positions per conversation; fewer where not even one such fits, and
                no more than the checkpoint knows.
            rope_freq_dtype: bfloat16 rounds the decoder's rotary frequencies as the published
                code does when it casts the whole module.
            vocoder_backend: what renders speech; ``stepaudio2`` is the original library.
            cuda_graphs: capture short forwards; without effect on the CPU.
            quantization: hold the layers of the language model as 8-bit integers. In float32 on
                the CPU, decoder layers that are stored so stay so, unless ``pt_path`` changes them.
            progress: called with a fraction and a short text while weights load.

        Raises:
            CheckpointError, AttentionUnavailableError, DeviceMemoryError: see
                :mod:`MiniCPMO45.errors`.
        """
        device = torch.device(device)
        dtype = dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)
        backend = resolve_backend(attn_implementation, device)
        folder = locate(model_path, revision)
        config = MiniCPMOConfig.from_folder(folder)
        with torch.device("meta"):
            model = cls(config, backend)
            if quantization is not None:
                model.quantise()
            elif device.type == "cpu" and dtype == torch.float32 and pt_path is None:
                model.keep_integers(stored_as_integers(folder))
        report = load_weights(
            model, folder, device=device, dtype=dtype, pt_path=pt_path, progress=progress
        )
        model.read_processing_files(folder)
        if config.init_tts and (folder / VOCODER_FOLDER).is_dir():
            model.vocoder = load_renderer(folder / VOCODER_FOLDER, device, vocoder_backend)
        captures = cuda_graphs and device.type == "cuda"
        if captures and isinstance(model.vocoder, Token2Wav):  # the slots get what it leaves
            graphs = model.vocoder.capture(side_by_side=n_slots != 1)
            _report(progress, "capturing the vocoder", graphs)
        model.finish_loading(
            device=device,
            dtype=dtype,
            n_slots=n_slots,
            max_length=max_length,
            rope_freq_dtype=rope_freq_dtype,
        )
        if captures:
            model.capture_graphs(progress)
        model.name = config.model_name or Path(model_path).name
        logger.info("loaded model=%s attention=%s", model.name, model.attention_backends)
        if report.unexpected or report.overlaid:
            logger.warning("checkpoint: %s", report.summary())
        return model

    def quantise(self) -> None:
        """Hold the linear layers of the language model's stack as 8-bit integers, half the bytes of
        the model. Its vocabulary, the encoders and speech stay as they are."""
        quantise_linears(self.llm.model.layers)

    def keep_integers(self, names: Collection[str]) -> None:
        """Hold those of these weights as integers that mostly multiply few rows: the layers of the
        language model and of speech."""
        stacks = {"llm": self.llm.model}
        if self.config.init_tts:
            stacks["tts"] = self.tts.model
        for part, stack in stacks.items():
            prefix = f"{part}.model.layers."
            within = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
            quantise_linears(stack.layers, within)

    def finish_loading(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        n_slots: int | None = 1,
        max_length: int = DEFAULT_CAPACITY,
        rope_freq_dtype: torch.dtype = torch.float32,
    ) -> None:
        """Make what is not in the checkpoint: folded weights, and caches and rotary tables as large
        as the memory allows.

        Raises:
            DeviceMemoryError: it does not hold one conversation.
        """
        self.eval().requires_grad_(False)
        if device.type == "cuda":
            prefer_kernels_without_plans()
        place = {"device": device, "dtype": dtype}
        if self.config.init_vision:
            self.vpm.join_projections()
        if self.config.init_audio:
            self.apm.join_projections()
        if self.config.init_tts:
            self.tts.fold()
        if device.type == "cpu":
            self.llm.model.join_projections()
            if self.config.init_tts:
                self.tts.model.join_projections()
        cost = slot_bytes(self, dtype)
        max_length = min(max_length, self.config.max_position_embeddings)
        plan = slots_on(device, cost, wanted=n_slots, max_length=max_length)
        n_slots, max_length = plan.n_slots, plan.max_length
        shape = self.llm.model.shape
        cache = KVCache(shape, n_slots=n_slots, capacity=max_length, **place)
        rotary = RotaryTable(shape, max_length, frequency_dtype=rope_freq_dtype, **place)
        self.language = Decoder(self.llm.model, cache, rotary)
        if self.config.init_vision:
            batch_size = self.config.vision_batch_size
            self.tiles = TileEncoder(self.vpm, self.resampler, batch_size, n_slots)
        if self.config.init_audio:
            self.ear = LiveEar(self.apm, self.audio_projection_layer, n_slots)
        if self.config.init_tts:
            shape = self.tts.model.shape
            capacity = self.config.tts_config.max_position_embeddings
            cache = KVCache(shape, n_slots=n_slots, capacity=capacity, **place)
            self.speech = Decoder(self.tts.model, cache, RotaryTable(shape, capacity, **place))

    @property
    def n_slots(self) -> int:
        """Conversations that can be open at once."""
        return self.language.cache.n_slots

    def capture_graphs(self, progress: Progress | None = None) -> None:
        """Run what is repeated all the time as CUDA graphs from now on; no session may be open."""
        for text, fractions in self._captures():
            _report(progress, text, fractions)
        torch.cuda.empty_cache()  # warming up took memory that only the stream of captures may use

    def _captures(self) -> Iterator[tuple[str, Iterator[float]]]:
        pool = torch.cuda.graph_pool_handle()  # one graph runs at a time
        if self.config.init_vision:  # the largest sizes the memory
            yield "capturing pictures", self.tiles.capture(pool)
        if self.config.init_audio:
            yield "capturing seconds of sound", self.ear.capture(pool)
        yield "capturing decode steps", self.language.capture(pool)
        if self.config.init_tts:
            yield "capturing speech steps", self.speech.capture(pool)
            if self.speech.fused is not None:
                self.speech_units = SpeechUnits(self.tts, self.speech, self.speech.fused)
                yield "capturing seconds of speech", self.speech_units.capture(pool)

    def score_rows(self, rows: Sequence[Tensor]) -> list[Tensor]:
        """Float32 scores ``[tokens]`` for final hidden states ``[hidden]``."""
        hidden = torch.stack(list(rows))
        if len(rows) == 1 and self.language.fused is not None:
            from MiniCPMO45.row_kernel import row_product

            scores = row_product(hidden, self.llm.lm_head.weight).float()
        else:
            scores = self.llm.logits(hidden)
        return list(scores[:, : self.tokenizer.size])

    def read_processing_files(self, folder: Path) -> None:
        """Read the tokenizer and the image settings of a checkpoint folder."""
        self.tokenizer = Tokenizer(folder)
        if self.tokenizer.size > self.config.vocab_size:
            raise CheckpointError(
                f"the tokenizer has {self.tokenizer.size} entries, "
                f"the model only {self.config.vocab_size}"
            )
        self.image_settings = ImageSettings.from_file(folder / "preprocessor_config.json")

    @property
    def device(self) -> torch.device:
        return self.llm.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.llm.lm_head.weight.dtype

    def encode_images(self, images: list[ImageTensors]) -> Tensor:
        """Embeddings of all tiles in order, ``[tiles * query_num, hidden]``."""
        return together(self._encode_image_lists, images)

    @torch.inference_mode()
    def _encode_image_lists(self, lists: Sequence[list[ImageTensors]]) -> list[Tensor]:
        """Each list's embeddings; their tiles go through the encoder together."""
        rows = self.tiles.encode([image for images in lists for image in images])
        counts = [sum(len(image.pixels) for image in images) for images in lists]
        return [tiles.flatten(0, 1) for tiles in rows.split(counts)]

    def encode_audio(
        self, audio: AudioFeatures, *, blockwise: bool = True, compat: bool = False
    ) -> Tensor:
        """Embeddings of all parts joined in time, ``[tokens, hidden]``.

        Args:
            blockwise: attend in blocks of ``audio_chunk_length`` seconds that see all earlier
                ones, as chat does; False lets every frame see the whole part.
        """

        def encode() -> Tensor:
            mel = audio.mel.to(self.device, self.dtype)
            chunk_frames = int(self.config.audio_chunk_length * 50) if blockwise else None
            hidden = self.apm(mel, audio.lengths, chunk_frames, compat=compat)
            return torch.cat(self.audio_projection_layer.pool(hidden, audio.lengths))

        return in_turn(encode)

    def encode_audio_live(
        self, mel: Tensor, cache: AudioCache, *, prefix_frames: int = 0, suffix_frames: int = 0
    ) -> Tensor:
        """Embeddings of the next mel frames ``[1, mels, frames]`` of a stream,
        ``[tokens, hidden]``.

        Args:
            prefix_frames, suffix_frames: frames that neighbouring pieces also hold.
        """

        piece = LivePiece(mel, cache, prefix_frames, suffix_frames)
        if self.ear.can_share(piece):
            return together(self.ear.hear_together, piece)
        return in_turn(lambda: self.ear.hear(piece))

    @torch.inference_mode()
    def embed_prompt(
        self, prompt: PromptInput, *, audio_rows: Tensor | None = None, compat: bool = False
    ) -> Tensor:
        """Token embeddings of a prompt with its placeholders filled, ``[tokens, hidden]``.

        Args:
            audio_rows: embeddings to use in place of encoding ``prompt.audio``.
        """
        embeddings = self.llm.embed(torch.tensor(prompt.ids, device=self.device))
        if prompt.images:
            fill(embeddings, prompt.image_bounds, self.encode_images(prompt.images))
        if audio_rows is None and prompt.audio is not None:
            audio_rows = self.encode_audio(prompt.audio, compat=compat)
        if audio_rows is not None:
            fill(embeddings, prompt.audio_bounds, audio_rows)
        return embeddings


def _report(progress: Progress | None, text: str, fractions: Iterator[float]) -> None:
    """Do the work of an iterator, and tell how far it is."""
    for fraction in fractions:
        if progress is not None:
            progress(fraction, text)


def fill(embeddings: Tensor, bounds: Bounds, rows: Tensor) -> None:
    """Deal ``rows`` out over the spans in order; surplus is dropped, the last row repeats.

    Merged clips can come out a row shorter than the sum of their placeholders, never by more.
    """
    start = 0
    for first, end in bounds:
        wanted = torch.arange(start, start + end - first, device=rows.device)
        if wanted.numel() and rows.shape[0] == 0:
            raise PromptError("a placeholder has no embeddings to fill it")
        embeddings[first:end] = rows[wanted.clamp(max=rows.shape[0] - 1)].to(embeddings.dtype)
        start += end - first
