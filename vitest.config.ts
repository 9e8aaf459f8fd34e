import { defineConfig } from 'vitest/config'

/**
 * `behavior` is everything; `gate` is the loads and storms at gate size, two files at a time as well: what they count has
 * to hold on a machine that has other things to do. Each file runs in a process of its own.
 */
const shared = {
  pool: 'forks' as const,
  execArgv: ['--expose-gc'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
  // What is polled for is bounded by the test; a busy machine may need more than the second that is the default.
  expect: { poll: { timeout: 20_000 } },
}

export default defineConfig({
  test: {
    // Much of a test is waiting for processes and files: a core left free would be left idle.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          ...shared,
          name: 'behavior',
          include: ['test/**/*.test.ts'],
          exclude: ['test/gate/**', 'test/nightly/**', 'test/web/*.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'gate',
          include: ['test/gate/**/*.test.ts', 'test/web/*.test.ts'],
          testTimeout: 600_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'nightly',
          include: ['test/nightly/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 7_200_000,
        },
      },
    ],
  },
})
