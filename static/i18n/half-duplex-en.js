/**
 * English words of the half-duplex page, some in place of those of all calls; half-duplex-zh.js has
 * the same keys.
 */
export default {
  'call.title.half_duplex': 'Half-duplex voice · MiniCPM-o 4.5',
  'call.log_empty.half_duplex': 'Start the call and talk. When you pause, the model answers; when it has finished, it is your turn again.',
  'call.you_spoke': 'Voice input, turn {turn} ({seconds} s)',
  'call.turns': { one: '{count} turn', other: '{count} turns' },
  'call.clock': '{time} left',

  'call.stop': 'End call',
  'call.stop_answer': 'Stop answer',
  'call.stop_answer_title': 'Stop the answer (Esc)',
  'call.hint': 'Hands-free: just talk, and pause when you want an answer. Headphones help. Esc stops an answer, M mutes.',
  'call.hint_live': 'You are heard only while the model is silent.',

  'call.state.queued_at': 'In the queue, place {position}',
  'call.state.hearing': 'You are speaking',
  'call.state.thinking': 'Thinking ({seconds} s heard)',
  'call.state.answering': 'Answering',
  'call.state.resting': 'Your turn in a moment',
  'call.state.timeout': 'Time is up',
  'call.state.broken': 'The call broke off',

  'call.settings_when': 'Loudness, delay and captions change at once, all else with the next call.',
  'call.spoken_help': 'Off, answers are only written.',
  'call.threshold': 'Detection threshold',
  'call.threshold_help': 'How sure the service must be that somebody speaks. Lower hears soft voices, higher ignores noise.',
  'call.min_silence': 'Pause that ends your turn, in milliseconds',
  'call.min_silence_help': 'Shorter answers sooner, longer lets you think. From 100 to 3000.',
  'call.max_new_tokens_help': 'From 32 to 2048. A token is about three quarters of an English word.',
  'call.temperature': 'Temperature',
  'call.temperature_help': 'Low values stay with the likeliest words, high ones vary more.',
  'call.limit': 'Longest call, in seconds',
  'call.limit_help': 'From 30 to 600. The server may allow less.',

  'banner.slow': 'The network does not keep up, so the model hears you late.',

  'failure.insecure_context.title': 'This page may not use the microphone',
  'failure.insecure_context.hint': 'Browsers allow it only over HTTPS or on localhost. Open https://{host} instead (the service must run without --http).',
  'failure.mic_missing.hint': 'Plug one in or switch it on in the system settings, then start again.',
  'failure.mic_failed.hint': 'Start again, or choose another one under Devices.',
  'failure.inference_error.title': 'The model failed on this turn',
  'failure.inference_error.hint': 'The call goes on: say it again. If it fails again, start a new call.',
  'failure.too_large.title': 'The conversation is more than the model can take in',
  'failure.too_large.hint': 'End the call and start again for a new conversation.',
};
