// A classic script, run before the first paint, so that a stored theme shows without a flash.
(function applyStoredTheme() {
  try {
    const theme = localStorage.getItem('minicpmo_theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // storage is blocked: the system's theme applies
  }
})();
