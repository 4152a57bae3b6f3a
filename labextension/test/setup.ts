import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

/** There is no layout here: whatever is observed is in view. */
class EverythingInView {
  constructor(private readonly _onChange: (entries: { isIntersecting: boolean }[]) => void) {}

  observe(): void {
    this._onChange([{ isIntersecting: true }]);
  }

  disconnect(): void {
    // Nothing is watched.
  }
}

Object.assign(globalThis, { IntersectionObserver: EverythingInView });

afterEach(cleanup);
