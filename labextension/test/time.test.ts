import { expect, test } from 'vitest';

import { ago, duration, exact, span } from '../src/time';

test('what is long ago is a day, what is not is said in words', () => {
  const now = 1_790_000_000;
  expect([ago(now - 30, now), ago(now - 3 * 3600, now)]).toEqual(['this minute', '3h ago']);
  expect(ago(now - 400 * 86_400, now)).toMatch(/\b20\d\d\b/);
});

test('lengths of time are short, and a full date names its zone', () => {
  expect([span(59), span(250), span(3 * 86_400)]).toEqual(['59 sec', '4 min', '3 days']);
  expect([duration(59), duration(3661)]).toEqual(['0:59', '1:01:01']);
  expect(exact(1_790_000_000)).toMatch(/UTC|GMT|\(.+\/.+\)/);
});
