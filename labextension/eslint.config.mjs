import jupyter from '@jupyter/eslint-plugin';
import reactHooks from 'eslint-plugin-react-hooks';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/** The panel can be open from the start, and a card in the first notebook: nothing of this small bundle can wait. */
const EAGER = { 'jupyter/prefer-lazy-imports': 'off' };

/** The plugin's recommended rules of one kind of file, every warning an error. */
function rulesOf(pattern) {
  const found = jupyter.configs.recommended.find(config => config.files.includes(pattern));
  return Object.fromEntries(Object.keys(found.rules).map(rule => [rule, 'error']));
}

export default tseslint.config(
  { ignores: ['lib/', 'node_modules/', 'src/generated/', 'style/', 'dev/'] },
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...reactHooks.configs.recommended.rules,
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Lumino's signals take a method and its owner.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], prefix: ['I'] }
      ]
    }
  },
  { files: ['src/**/*.{ts,tsx}'], plugins: { jupyter }, rules: { ...rulesOf('**/*.ts'), ...EAGER } },
  { files: ['schema/*.json'], plugins: { jupyter }, languageOptions: { parser: jsonc }, rules: rulesOf('**/schema/*.json') }
);
