// Answers that are always the same: schema and value of one string, so that they cannot differ.
import { z } from 'zod'

/** 200 `{"message": text}`, to be spread into a route. */
export const constantMessage = <const Text extends string>(text: Text) => ({
  status: 200 as const,
  answer: z.object({ message: z.literal(text) }),
  write: () => ({ message: text }),
})

/** 200 `{"status": text}`, to be spread into a route. */
export const constantStatus = <const Text extends string>(text: Text) => ({
  status: 200 as const,
  answer: z.object({ status: z.literal(text) }),
  write: () => ({ status: text }),
})
