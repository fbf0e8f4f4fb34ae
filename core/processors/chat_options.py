"""From the settings of a chat request to the model's own options."""

from __future__ import annotations

from core.schemas import ChatRequest, ChatStreamRequest
from MiniCPMO45 import GenerationOptions, PromptOptions


def prompt_options(request: ChatRequest | ChatStreamRequest) -> PromptOptions:
    """HTTP renders the whole prompt at once, a socket feeds the opening after the messages.

    A template switch that the client left out is left to the model, so that each way of chatting
    opens its answers as published; speech output needs its own opening.
    """
    given = request.model_fields_set
    on_socket = isinstance(request, ChatStreamRequest)
    image_ids_given = not on_socket or "use_image_id" in request.image.model_fields_set
    speech = request.use_tts_template if "use_tts_template" in given else None
    return PromptOptions(
        style="kv" if on_socket else "one_shot",
        omni_mode=request.omni_mode,
        max_slice_nums=request.image.max_slice_nums,
        use_image_id=request.image.use_image_id if image_ids_given else None,
        use_tts_template=True if request.tts.enabled else speech,
        enable_thinking=request.enable_thinking if "enable_thinking" in given else None,
        max_inp_length=request.generation.max_inp_length,
    )


def generation_options(request: ChatRequest | ChatStreamRequest) -> GenerationOptions:
    """Every sampling setting of the request; a temperature of 0 means the best token.

    Only streamed answers have a length penalty by default, as published; elsewhere it applies
    when it is asked for.
    """
    generation = request.generation
    streaming = isinstance(request, ChatStreamRequest) and request.streaming
    penalised = streaming or "length_penalty" in generation.model_fields_set
    return GenerationOptions(
        streaming=streaming,
        max_new_tokens=generation.max_new_tokens,
        min_new_tokens=generation.min_new_tokens,
        do_sample=generation.do_sample,
        temperature=generation.temperature,
        top_p=generation.top_p,
        top_k=generation.top_k,
        length_penalty=generation.length_penalty if penalised else 1.0,
    )
