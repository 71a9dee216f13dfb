// What must hold of package.json files and the lock, so that one `npm ci` means the same on every machine. Reads them
// as data; asks no registry.

type Names = Readonly<Record<string, string>>

export type Lock = {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly link?: boolean
        readonly resolved?: string
        readonly hasInstallScript?: boolean
        readonly dependencies?: Names
        readonly devDependencies?: Names
        readonly optionalDependencies?: Names
      }
    >
  >
}

const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** Packages with an install script that package.json neither allows nor denies by name. */
export const unjudgedScripts = (lock: Lock, allowScripts: Readonly<Record<string, boolean>>) =>
  Object.entries(lock.packages)
    .filter(([path, { hasInstallScript }]) => hasInstallScript && !(nameOf(path) in allowScripts))
    .map(([path]) => nameOf(path))

/** Optional packages without an entry of their own, as `owner → name`: the lock then holds for one platform only. */
export function lostPlatforms({ packages }: Lock): readonly string[] {
  const holds = (owner: string, name: string): boolean => {
    const path = owner === '' ? `node_modules/${name}` : `${owner}/node_modules/${name}`
    if (path in packages) return true
    return owner !== '' && holds(owner.slice(0, Math.max(0, owner.lastIndexOf('/node_modules/'))), name)
  }
  return Object.entries(packages).flatMap(([owner, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter(name => !holds(owner, name))
      .map(name => `${owner} → ${name}`),
  )
}

/** Packages that the lock ties to one server of packages. */
export const tiedToHosts = ({ packages }: Lock): readonly string[] =>
  Object.keys(packages).filter(path => packages[path]?.resolved?.includes('://'))

/** Dependencies of our own packages that are a range and not one version, as `owner → name range`. */
export const looseVersions = ({ packages }: Lock): readonly string[] =>
  Object.entries(packages)
    .filter(([path]) => !path.includes('node_modules/'))
    .flatMap(([path, { dependencies, devDependencies }]) =>
      Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path} → ${name} ${version}`),
    )
