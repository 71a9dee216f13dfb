// Spreads the browsers over all cores, some at a time, and puts what they lived together again in their order: the result
// does not depend on how many cores there are.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Crowd, joinCrowds, type Numbers } from './crowd.ts'
import type { Rule } from './rules.ts'

export type Job = { readonly rule: string; readonly seed: number; readonly browsers: Numbers }
export type JobDone = { readonly crowd: Crowd }

const atATime = 50

/** `onProgress` hears how many browsers have lived, under all rules; `onRule` each rule when it is through, in order. */
export type Progress = {
  readonly onProgress: (lived: number, all: number) => void
  readonly onRule: (rule: Rule, crowd: Crowd) => void
}

const jobsOf = ({ name }: Rule, seed: number, browsers: number): readonly Job[] =>
  Array.from({ length: Math.ceil(browsers / atATime) }, (_, part) => {
    const from = part * atATime
    return { rule: name, seed, browsers: { from, to: Math.min(browsers, from + atATime) } }
  })

/** Rejects with what a worker threw. */
export async function liveInParallel(
  rules: readonly Rule[],
  seed: number,
  browsers: number,
  { onProgress, onRule }: Progress,
): Promise<void> {
  const parts = Math.ceil(browsers / atATime)
  const jobs = rules.flatMap(rule => jobsOf(rule, seed, browsers))
  const crowds: (Crowd | undefined)[] = Array.from({ length: jobs.length })
  let next = 0
  let lived = 0
  let told = 0
  const tellRules = () => {
    for (let rule = rules[told]; rule; rule = rules[told]) {
      const own = crowds.slice(told * parts, (told + 1) * parts)
      const parted = own.filter(crowd => crowd !== undefined)
      if (parted.length < parts) return
      onRule(rule, joinCrowds(parted))
      told++
    }
  }
  const work = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      let at = 0
      const ask = () => {
        at = next++
        const job = jobs[at]
        if (job) worker.postMessage(job)
        else resolve()
      }
      worker.on('error', reject)
      worker.on('message', ({ crowd }: JobDone) => {
        crowds[at] = crowd
        lived += crowd.signOuts.within.length
        onProgress(lived, browsers * rules.length)
        tellRules()
        ask()
      })
      ask()
    })
  const workers = Array.from(
    { length: Math.min(availableParallelism(), jobs.length) },
    () => new Worker(new URL('./worker.ts', import.meta.url)),
  )
  try {
    await Promise.all(workers.map(work))
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}
