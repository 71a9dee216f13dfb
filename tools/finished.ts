// Loaded before each test file: a file whose process ends before its tests do has failed. Node alone takes those that ran
// for all there are, when a test waits for what nothing will ever bring about.
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

/** Set where Node runs one file; not where it hands files out. */
if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) {
  let isOver = false
  after(() => {
    isOver = true
  })
  process.on('exit', () => {
    if (isOver) return
    console.error(`${process.argv[1]} has ended before its tests.`)
    process.exitCode = 1
  })
}
