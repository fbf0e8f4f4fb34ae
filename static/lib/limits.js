/** What the service accepts; the pages refuse more before uploading it. */

export const SAMPLE_RATE = 16_000;
export const SPEECH_SAMPLE_RATE = 24_000;
export const MAX_AUDIO_S = 600;
export const MIN_VOICE_S = 0.5;
export const MAX_VOICE_S = 30;
export const MAX_AUDIO_FILE_BYTES = 30_000_000;
export const MAX_IMAGE_FILE_BYTES = 20_000_000;
export const MAX_IMAGE_PIXELS = 20_000_000;
export const MAX_ATTACHMENTS = 64;
export const MAX_REQUEST_CHARACTERS = 128 * 1024 * 1024;
export const MAX_NEW_TOKENS = 2048;
