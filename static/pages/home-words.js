/** The words of the start page, and of addresses that lead nowhere. */
export const HOME_WORDS = {
  en: () => import('../i18n/home-en.js'),
  zh: () => import('../i18n/home-zh.js'),
};
