// Functions of the program's own that are called from here, with nobody above to catch what they throw: it would end the
// process, and everybody's calls and streams with the one that has failed. Knows nothing of what they are for.

/** What `run` throws, or rejects with, is said on stderr with its stack, and stops nothing. `name`: what its owner knows it by. */
export function callBack(name: string, run: () => unknown): void {
  Promise.try(run).catch(error => console.error(`@rusk/verify: ${name} has thrown`, error))
}
