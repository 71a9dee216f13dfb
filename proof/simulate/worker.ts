// One core's share of the work: takes a job, answers with what its browsers lived, and waits for the next.
import { parentPort } from 'node:worker_threads'
import { liveTogether } from './crowd.ts'
import type { Job, JobDone } from './pool.ts'
import { rules } from './rules.ts'

parentPort?.on('message', ({ rule: name, seed, browsers }: Job) => {
  const rule = rules.find(each => each.name === name)
  if (!rule) throw new Error(`there is no rule ${name}`)
  const done: JobDone = { crowd: liveTogether(rule, seed, browsers) }
  parentPort?.postMessage(done)
})
