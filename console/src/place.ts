import { useEffect, useState } from 'preact/hooks';

/** Where we are: the page, what it is about, and its filters. */
export interface Place {
  readonly page: string;
  readonly subject: string | undefined;
  readonly query: URLSearchParams;
}

const read = (): Place => {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  const subject = decoded(rest.join('/'));
  return {
    page: page === '' ? 'now' : page,
    subject: subject === '' ? undefined : subject,
    query: new URLSearchParams(query),
  };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The address of a page, for links. */
export const linkTo = (
  page: string,
  subject?: string,
  query: Readonly<Record<string, string>> = {},
): string => {
  const filters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return `#/${page}${subject === undefined ? '' : `/${encodeURIComponent(subject)}`}${filters === '' ? '' : `?${filters}`}`;
};

export const goTo = (link: string): void => {
  location.hash = link;
};

export const usePlace = (): Place => {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const look = () => setPlace(read());
    window.addEventListener('hashchange', look);
    look(); // it may have changed before somebody listened
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return place;
};
