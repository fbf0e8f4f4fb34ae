/**
 * A failure that a person is told about.
 *
 * `code` picks the words (dictionary keys failure.<code>.title and .hint), `remedy` the button that
 * goes with them. Servers send codes too; one that is not listed here is told in general words
 * together with the server's own text.
 */

const REMEDIES = {
  // found by the page
  offline: 'retry',
  unreachable: 'retry',
  connection_lost: 'retry',
  timeout: 'retry',
  bad_answer: 'retry',
  insecure_context: null,
  mic_denied: null,
  mic_missing: null,
  mic_busy: null,
  mic_failed: null,
  mic_lost: null,
  mic_replaced: null,
  mic_silent: null,
  camera_denied: null,
  camera_missing: null,
  camera_busy: null,
  camera_failed: null,
  camera_lost: null,
  capture_stalled: null,
  file_unsupported: null,
  file_unreadable: null,
  file_too_large: null,
  audio_too_long: null,
  video_too_long: null,
  too_many_files: null,
  voice_too_short: null,
  clip_silent: null,
  history_blocked: null,
  history_full: null,
  import_failed: null,
  file_too_short: null,
  preset_file: null,
  preset_voice: null,
  preset_not_kept: null,
  unplayable: null,
  // sent by the service
  queue_full: 'retry',
  not_ready: 'retry',
  worker_lost: 'retry',
  worker_busy: 'retry',
  inference_error: 'retry',
  cancelled: 'retry',
  rate_limited: 'retry',
  session_timeout: 'retry',
  idle_timeout: 'retry',
  too_large: 'new',
  app_disabled: 'home',
  unauthorized: 'sign_in',
  origin_forbidden: null,
  bad_message: null,
  unsupported: null,
  not_found: null,
};

export const FAILURE_CODES = [...Object.keys(REMEDIES), 'unknown'];

export class Failure extends Error {
  /**
   * @param {string} code
   * @param {{message?: string, field?: string, params?: object, cause?: unknown}} [details]
   */
  constructor(code, { message = '', field = '', params = {}, cause } = {}) {
    super(message || code, { cause });
    this.name = 'Failure';
    this.code = code;
    this.detail = message;
    this.field = field;
    this.params = params;
  }

  /** The dictionary entry that tells of it. */
  get key() {
    return this.code in REMEDIES ? this.code : 'unknown';
  }

  /** @returns {?('retry' | 'new' | 'home' | 'settings' | 'sign_in')} */
  get remedy() {
    if (this.field.startsWith('generation.')) return 'settings';
    return this.code in REMEDIES ? REMEDIES[this.code] : 'retry';
  }
}

/** @param {unknown} error @returns {Failure} the same, or an unknown failure around it */
export function asFailure(error) {
  if (error instanceof Failure) return error;
  return new Failure('unknown', { message: String(error?.message ?? error), cause: error });
}
