import js from '@eslint/js';
import globals from 'globals';

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module' },
    rules: {
      'max-lines': ['error', 400],
      'prefer-const': 'error',
      'no-var': 'error',
      'no-console': 'error',
      'no-alert': 'error',
      eqeqeq: 'error',
    },
  },
  { files: ['static/**/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['static/lib/**/*.js'], languageOptions: { globals: globals['shared-node-browser'] } },
  {
    files: ['static/audio/capture-worklet.js'],
    languageOptions: {
      globals: { AudioWorkletProcessor: 'readonly', registerProcessor: 'readonly', currentTime: 'readonly' },
    },
  },
  { files: ['tests/js/**/*.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];
