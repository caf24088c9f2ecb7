import { flag, list, object, optional, record, text } from '../../util/decode.ts';

/** A folder of code that git has checked out. */
export interface Checkout {
  /** On the machine, without symbolic links. */
  readonly path: string;
  /** In full, in hexadecimal digits. */
  readonly commit: string;
  /** undefined: a commit was checked out, and no branch. */
  readonly branch?: string | undefined;
  /** Where it comes from, without passwords; undefined: nowhere, or it is not known. */
  readonly remote?: string | undefined;
  /** Whether files that git tracks differ from the commit; undefined: it is not known. */
  readonly dirty?: boolean | undefined;
}

/** What a service of Compose runs. */
export interface ServiceImage {
  readonly service: string;
  /** As the project names it: `odoo:17`. */
  readonly image: string;
  /** `sha256:…`, as the host knows it. */
  readonly id: string;
  /** `odoo@sha256:…`, as a registry knows it; undefined: it was built on the host. */
  readonly digest?: string | undefined;
}

/** The code that an Odoo runs, as far as it can be seen. */
export interface RunningCode {
  readonly checkouts: readonly Checkout[];
  readonly images: readonly ServiceImage[];
  /** Versions of the packages that Odoo was installed by. */
  readonly packages: Readonly<Record<string, string>>;
}

export const NO_CODE: RunningCode = { checkouts: [], images: [], packages: {} };

/** The most of each: an environment variable ends at 128 KiB. */
export const MOST = 60;

/** A hash of git: SHA-1, or SHA-256. */
export const commitHash = text('the hash of a commit, in full', 64, /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

/** A path on the host. */
export const codePath = text('an absolute path', 1000, /^\/./su);

/**
 * A remote that git reaches without running a program that it names (`ext::…` of gitremote-helpers(7) would be one), and
 * without a password.
 */
const remote = text(
  'the URL of a remote of git',
  500,
  /^(?:(?:https?|git|file):\/\/[^\s@?#]+|ssh:\/\/(?:\w[\w.-]*@)?[^\s@?#]+|(?:\w[\w.-]*@)?\w[\w.-]*:(?!:)[^\s]+|\/\S*)$/u,
);

const DIGEST = 'sha256:[0-9a-f]{64}';

export const decodeCheckout = object<Checkout>({
  path: codePath,
  commit: commitHash,
  // git-check-ref-format(1)
  branch: optional(text('the name of a branch', 255, /^(?!-)[^\s~^:?*[\\]+$/u)),
  remote: optional(remote),
  dirty: optional(flag),
});

export const decodeImage = object<ServiceImage>({
  service: text('the name of a service', 255, /^[A-Za-z0-9][\w.-]*$/),
  image: text('the name of an image', 500, /^\w[\w.:/@-]*$/),
  id: text('the id of an image', 71, new RegExp(`^${DIGEST}$`)),
  digest: optional(text('the digest of an image', 500, new RegExp(`^\\w[\\w.:/-]*@${DIGEST}$`))),
});

export const packageName = text('the name of a package', 100, /^[A-Za-z0-9][\w.+-]*$/);
export const packageVersion = text('the version of a package', 100, /^\w[\w.+~:-]*$/);

/** Reads what a backup says of the code that ran. */
export const decodeCode = object<RunningCode>({
  checkouts: list(decodeCheckout, MOST),
  images: list(decodeImage, MOST),
  packages: record(packageName, packageVersion, MOST),
});

/** The remote without what may be a password: of http and https, nobody can tell a user's name from one. */
export function withoutPassword(url: string): string {
  const [, scheme = '', user = '', rest = ''] = /^(\w+:\/\/)(?:([^/@]*)@)?(.*)$/su.exec(url) ?? [];
  if (scheme === '') return url;
  const [name = ''] = user.split(':');
  const kept = scheme === 'ssh://' && name !== '' ? `${name}@` : '';
  return `${scheme}${kept}${rest.replace(/[?#].*$/su, '')}`;
}

/** `9ab1c2d4`: as much of a hash as a person compares. */
export const shortCommit = (commit: string): string => commit.slice(0, 8);

/** The code in a few words, one for each part: `/opt/erp at 9ab1c2d4 (main), with changes`. */
export const codeWords = ({ checkouts, images, packages }: RunningCode): string[] => [
  ...checkouts.map(
    ({ path, commit, branch, dirty }) =>
      `${path} at ${shortCommit(commit)}${branch === undefined ? '' : ` (${branch})`}${dirty ? ', with changes' : ''}`,
  ),
  ...images.map(({ service, image, id }) => `${service} runs ${image} (${shortImage(id)})`),
  ...Object.entries(packages).map(([name, version]) => `${name} ${version}`),
];

/** `1f2e3d4c5b6a`, as `docker images` shows it. */
export const shortImage = (id: string): string => id.slice('sha256:'.length, 'sha256:'.length + 12);
