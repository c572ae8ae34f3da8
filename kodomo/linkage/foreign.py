"""Foreign names, word by word: offices leave words out, put them in another order and spell each as they hear it (identity side).

A residence card has MATHEUS SILVA ALVES; the register adds one reading, a nursery writes アルベス マテュース and a water
contract whatever was said at the counter. So words are compared, not names: all that are written must be words of
that person's, at least two of them, in whatever order.
"""

from __future__ import annotations

MACROS = """
CREATE OR REPLACE MACRO unvoiced(w) AS translate(w, 'ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヤユヨワ', 'カキクケコサシスセソタチツテトハヒフヘホハヒフヘホアウオア');
CREATE OR REPLACE MACRO vowel_lost(w) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(w,
    '([アカサタナハマラ])ア+', '\\1', 'g'), '([イキシチニヒミリ])イ+', '\\1', 'g'), '([ウクスツヌフムル])ウ+', '\\1', 'g'),
    '([エケセテネヘメレ])[イエ]+', '\\1', 'g'), '([オコソトノホモロ])[ウオ]+', '\\1', 'g');
CREATE OR REPLACE MACRO heard(w) AS CASE WHEN regexp_matches(w, '^(ニウ|ニイ|ンク|ヌク|ク)イ?エン$') THEN 'クエン'
    WHEN w = 'トラン' THEN 'チアン' WHEN w = 'トリン' THEN 'チン' WHEN w = 'トルオン' THEN 'チウオン' ELSE w END;
CREATE OR REPLACE MACRO respelt(w) AS regexp_replace(vowel_lost(heard(replace(regexp_replace(unvoiced(w),
    'ツ([カ-コサ-ソタ-トハ-ホ])', '\\1', 'g'), 'テイ', 'チ'))), 'ル([カ-ネハ-ホマ-ロン]|$)', 'ウ\\1', 'g');
CREATE OR REPLACE MACRO begun_softly(w) AS translate(left(w, 1), 'ラリルレロハヒフヘホ', 'アイウエオアイウエオ') || substr(w, 2);
CREATE OR REPLACE MACRO bones(w) AS translate(left(w, 1), 'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロ', 'AAAAAKKKKKSSSSSTTTTTNNNNNAAAAAMMMMMAAAAA')
    || translate(substr(w, 2), 'カキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロアイウエオ', 'KKKKKSSSSSTTTTTNNNNNHHHHHMMMMMRRRRR');
CREATE OR REPLACE MACRO near_word(a, b) AS a = b OR bones(a) = bones(b) AND (
    length(bones(a)) >= 3 AND (left(bones(a), 1) <> 'A' OR left(begun_softly(a), 1) = left(begun_softly(b), 1))
    OR length(a) >= 3 AND begun_softly(a) = begun_softly(b)
    OR length(a) = length(b) + 1 AND drops_one(a, b) OR length(b) = length(a) + 1 AND drops_one(b, a))
"""
"""``respelt``: a folded word without what transcribers disagree about: voicing, long vowels, ッ, glides (ブライヤン, ジョシュワ), an l that
Brazilians say as u (アウベス, アルベス), ティ for チ, and how the commonest names of Vietnam are read (NGUYEN, TRAN, TRINH, TRUONG).
``begun_softly``: in Portuguese a first r sounds as h and a first h not at all (ホドリゲス, エイトル). ``bones``: its consonants; three
that agree are one word by another ear, fewer only where no more than one vowel is left out."""

IS_FOREIGN = "regexp_matches(name, '^([A-Z]+|[ァ-ヶー]+)$') OR kana_words IS NOT NULL"
"""The register writes the name in letters or all in kana, or reads it as three words."""

FEWEST_WORDS = 2


def words_of(named: str, key: str) -> str:
    """SQL of the words of names, each name (``said``) apart: ``{key}, said, total, nth, word``.

    Args:
        named: SQL of rows with ``key`` and the folded columns of a name, as ``form`` and ``spine_name`` have them.
    """
    return f"""
    SELECT {key}, said, len(words) AS total, generate_subscripts(words, 1) AS nth, unnest(words) AS word FROM (
        SELECT {key}, row_number() OVER () AS said, unnest([
            string_split(coalesce(kana_words, CASE WHEN surname_kana <> '' THEN surname_kana || ' ' || given_kana ELSE kana END), ' '),
            CASE WHEN regexp_matches(name, '^[A-Z]+$') THEN string_split(coalesce(name_words, CASE WHEN surname <> '' THEN surname || ' ' || given ELSE name END), ' ') END,
            CASE WHEN regexp_matches(surname, '\\p{{Han}}') AND given_kana <> '' THEN [surname, given_kana] END
        ]) AS words FROM {named}) WHERE words IS NOT NULL"""


def meeting(candidate: str, fewest: int = FEWEST_WORDS) -> str:
    """SQL of which candidates a form's words mean.

    Args:
        candidate: SQL of pairs ``form, person`` of open forms and people on the spine.
        fewest: so many words must meet, at least; one alone is no surname.

    Returns:
        SQL that gives ``form, person, words, slip``: the pairs where all words of the one are words of the other, and how many.
        ``slip``: 0 where every word is written alike, 1 where one is spelt otherwise, 2 where of one the consonants alone agree. Of
        each form the least slips.
    """
    return f"""
WITH candidate AS MATERIALIZED (
    SELECT DISTINCT form, person FROM ({candidate}) SEMI JOIN (SELECT person FROM spine_name WHERE {IS_FOREIGN}) USING (person)
), written AS (
    SELECT *, respelt(word) AS heard, bones(respelt(word)) AS bones FROM ({words_of("(FROM form SEMI JOIN candidate USING (form))", "form")})
), borne AS (
    SELECT *, respelt(word) AS heard, bones(respelt(word)) AS bones FROM ({words_of("(FROM spine_name SEMI JOIN candidate USING (person))", "person")})
), met AS (
    SELECT c.form, c.person, w.said, b.said AS name, any_value(w.total) AS written, any_value(b.total) AS borne, w.nth, b.nth AS place,
        min(CASE WHEN w.word = b.word THEN 0 WHEN w.heard = b.heard THEN 1 ELSE 2 END) AS slips
    FROM candidate c JOIN written w USING (form) JOIN borne b ON b.person = c.person AND b.bones = w.bones AND near_word(w.heard, b.heard)
    GROUP BY ALL
), fitted AS (
    SELECT form, person, said, name, any_value(written) AS written, any_value(borne) AS borne, count(DISTINCT nth) AS words,
        count(DISTINCT place) AS places, sum(slips) AS slips, max(slips) AS slip, min(place) AS first_place
    FROM (FROM met QUALIFY slips = min(slips) OVER (PARTITION BY form, person, said, name, nth)) GROUP BY form, person, said, name
)
SELECT form, person, max(words) AS words, arg_min(slip, slips) AS slip FROM fitted
WHERE least(words, places) >= {fewest} AND (words = written AND places = written OR places = borne AND borne >= {FEWEST_WORDS})
    AND (words >= {FEWEST_WORDS} OR first_place > 1)
GROUP BY form, person QUALIFY min(slips) = min(min(slips)) OVER (PARTITION BY form)"""
