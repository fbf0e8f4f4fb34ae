/**
 * English words for the tools of the turn-based page, which load after it; chat-zh.js has the same
 * keys.
 */
export default {
  'composer.preparing': 'Preparing {name}',
  'composer.look': 'Look at {name}',
  'composer.earlier': 'Move {name} forward',
  'composer.later': 'Move {name} back',

  'file.shortened': '{name} was cut to its first ten minutes.',
  'file.not_kept': 'Attachments are lost when this page is loaded again: the browser keeps nothing for it.',
  'file.not_all_kept': 'Not all attachments will be here when the page is loaded again: together they are too large to be kept.',
  'file.redrawn': '{name} was converted so that the model can read it.',

  'message.save': 'Save',
  'message.save_resend': 'Save and send again',
  'message.resend_question': 'Send again from here?',
  'message.resend_text': 'Everything after this message is deleted, and it is answered anew.',
  'message.resend_confirm': 'Send again',
  'message.remove_question': 'Delete this message?',
  'message.remove_text': 'Its answer goes, too. This cannot be undone.',

  'history.title': 'Chats in this browser',
  'history.empty': 'What you talk about is kept here, in this browser only.',
  'history.untitled': 'Without a title',
  'history.remove': 'Delete {name}',
  'history.clear': 'Delete all chats',
  'history.remove_question': 'Delete this chat?',
  'history.clear_question': 'Delete all chats of this browser?',
  'history.remove_text': 'Words, pictures and sound disappear from this browser. This cannot be undone.',
  'history.remove_confirm': 'Delete',
  'history.files': 'As a file',
  'history.export_markdown': 'Markdown',
  'history.export_json': 'JSON',
  'history.export_msgpack': 'MessagePack',
  'history.export_help': 'Saves the chat on the page: Markdown to read it, JSON to bring it back here, MessagePack for programs.',
  'history.load': 'Open a JSON file',
  'history.copied': 'This chat went on in another tab. What you write here is kept as a chat of its own.',

  'hold.idle': 'Hold to talk',
  'hold.opening': 'Opening the microphone…',
  'hold.listening': 'Release to send, slide up to cancel',
  'hold.cancel': 'Release to cancel',

  'failure.too_many_files.title': 'Too many attachments',
  'failure.too_many_files.hint': 'One message holds up to {limit}. Send these first.',
  'failure.video_too_long.title': '{name} is too long',
  'failure.video_too_long.hint': 'A video may last up to {seconds} seconds. Cut out the part you mean.',
  'failure.clip_silent.title': 'No sound arrived',
  'failure.clip_silent.hint': 'Check that the right microphone is chosen and not muted, then hold the button again.',
  'failure.history_blocked.title': 'Chats cannot be kept',
  'failure.history_blocked.hint': 'This browser does not let the page store anything, as in private windows. Everything else works; save a chat as a file to keep it.',
  'failure.history_full.title': 'There is no room for more chats',
  'failure.history_full.hint': 'Delete chats that you no longer need, or save this one as a file.',
  'failure.import_failed.title': 'This file holds no chat',
  'failure.import_failed.hint': 'Choose a JSON file that was saved on this page.',
};
