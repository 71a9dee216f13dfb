// A labelled input with what is wrong with it beside it. Knows no field by name.
import { type ComponentProps, useId } from 'react'

type Props = ComponentProps<'input'> & {
  readonly label: string
  readonly hint?: string | undefined
  readonly wrong?: string | undefined
}

export function Field({ label, hint, wrong, ...input }: Props) {
  const id = useId()
  const said = wrong ?? hint
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        required
        aria-invalid={wrong !== undefined}
        aria-describedby={said && `${id}-said`}
      />
      {said && (
        <span id={`${id}-said`} className={wrong ? 'wrong' : 'hint'}>
          {said}
        </span>
      )}
    </p>
  )
}
