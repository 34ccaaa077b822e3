"""The scripts of the sample clips: people's places, their lines and addressees, and the questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Place:
    """A person's place. `walk` moves the person: (seconds, x) points, interpolated linearly."""

    name: str
    x: float  # pixels
    height: float  # pixels from sole to crown
    feet: float = 344.0  # y of the soles, pixels; beyond 360 the frame cuts the legs off
    walk: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of dialogue. `by` None: an unknown voice; `to` None: to nobody in particular."""

    by: str | None
    text: str
    to: str | None = None
    overlap: float = 0.0  # seconds by which it begins before the previous line ends


@dataclass(frozen=True, slots=True)
class Ask:
    """A question about a line (its index) or, with `candidates`, about the clip; `known` False omits the answer."""

    task: Literal["videoqa", "target", "coref", "mentioned"]
    line: int | None = None
    word: str | None = None  # the pronoun or name that the question's span covers
    answer: str | None = None  # a person's name, or one of the candidates
    text: str | None = None
    candidates: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip. `window` is the part of the file that the episode covers, None for all of it."""

    id: str
    room: str
    seconds: float
    cast: tuple[Place, ...]
    lines: tuple[Line, ...]
    asks: tuple[Ask, ...]
    split: str = "test"
    named: tuple[str, ...] = ()  # people whose names are in the episode's list of speakers
    window: tuple[float, float] | None = None


def target(line: int, answer: str, known: bool = True) -> Ask:
    """Whom is this line addressed to?"""
    return Ask("target", line, answer=answer, known=known)


def coref(line: int, word: str, answer: str, known: bool = True) -> Ask:
    """Whom does this pronoun mean?"""
    return Ask("coref", line, word, answer, known=known)


def mentioned(line: int, word: str) -> Ask:
    """Who is named here?"""
    return Ask("mentioned", line, word, word)


def quiz(text: str, answer: str, *others: str) -> Ask:
    """A question about the clip. The answer's place among the candidates depends on the question's length."""
    place = len(text) % (len(others) + 1)
    return Ask("videoqa", text=text, answer=answer, candidates=(*others[:place], answer, *others[place:]))


SCENES: tuple[Scene, ...] = (
    Scene(
        "kitchen-keys",
        "kitchen",
        6.0,
        (Place("Mara", 96, 280), Place("Tom", 312, 296), Place("Inés", 540, 272)),
        (
            Line("Mara", "Tom, did you take my keys?", "Tom"),
            Line("Tom", "No, I gave them to Inés.", "Mara"),
            Line("Inés", "To me? I put them on the table.", "Tom"),
            Line("Mara", "They are not on the table.", "Inés"),
            Line("Tom", "Look, she has them in her bag!", "Mara"),
            Line("Inés", "¡Ay, perdón! Here they are 🔑", "Mara"),
        ),
        (
            quiz("Where are the keys?", "In a bag", "On the table", "In a pocket", "In the fridge", "In the car"),
            quiz("What colour is the shirt of the man?", "Blue", "Red", "Yellow", "Green", "White"),
            target(3, "Inés"),
            mentioned(1, "Inés"),
            coref(4, "she", "Inés"),
        ),
        window=(0.0, 6.0),
    ),
    Scene(
        "office-numbers",
        "office",
        6.0,
        (
            Place("Priya", 84, 340, 420),
            Place("Kenji", 250, 364, 424),
            Place("Omar", 404, 372, 426),
            Place("Nora", 560, 336, 420),
        ),
        (
            Line("Priya", "Who has the numbers for March?"),
            Line("Kenji", "Nora sent them last night.", "Priya"),
            Line("Nora", "I did, but only to Omar.", "Priya"),
            Line("Omar", "I never saw that mail.", "Nora"),
            Line("Priya", "Could you send it again?", "Nora"),
            Line("Nora", "Done. He should have it now.", "Priya"),
            Line("Omar", "Got it, merci beaucoup!", "Nora"),
        ),
        (
            quiz("What is everybody looking for?", "The numbers for March", "A pen", "A key", "The coffee"),
            quiz("Who wears glasses and a teal shirt?", "The second from the left", "The first", "The last", "Nobody"),
            target(4, "Nora"),
            mentioned(1, "Nora"),
            mentioned(2, "Omar"),
            coref(5, "He", "Omar"),
        ),
    ),
    Scene(
        "park-football",
        "park",
        6.0,
        (
            Place("Lily", 78, 206, 346),
            Place("Sam", 232, 282, 344),
            Place("Björn", 400, 304, 348),
            Place("Zoë", 566, 276, 344),
        ),
        (
            Line("Lily", "Sam, can we play football?", "Sam"),
            Line("Sam", "Ask Björn, he brought the ball.", "Lily"),
            Line("Björn", "It is behind the big tree.", "Lily"),
            Line("Zoë", "Eat your sandwich first.", "Lily"),
            Line("Lily", "But I am not hungry!", "Zoë"),
            Line("Björn", "She ate all my grapes 🍇", "Zoë"),
            Line("Zoë", "Then go and play.", "Lily"),
        ),
        (
            quiz("Where is the ball?", "Behind the tree", "In the car", "Under the bench", "In a bag", "At home"),
            quiz(
                "Who is the smallest person?", "The girl on the left", "The man with the cap", "The tall man", "No one"
            ),
            target(3, "Lily"),
            target(5, "Zoë"),
            mentioned(1, "Björn"),
            coref(1, "he", "Björn"),
            coref(5, "She", "Lily"),
        ),
    ),
    Scene(
        "classroom-prize",
        "classroom",
        6.0,
        (
            Place("Viktor", 70, 278, 346),
            Place("Hana", 196, 250, 344),
            Place("Luca", 322, 266, 348),
            Place("Amara", 448, 252, 344),
            Place("Chloé", 574, 248, 346),
        ),
        (
            Line("Viktor", "The prize goes to Hana!"),
            Line("Hana", "To me? Really?", "Viktor"),
            Line("Luca", "Bravo, you earned it.", "Hana"),
            Line("Amara", "She worked on it all year.", "Luca"),
            Line("Chloé", "Amara helped her a lot.", "Viktor"),
            Line("Amara", "Only with the pictures.", "Chloé"),
            Line("Viktor", "Come up here, both of you.", "Hana"),
        ),
        (
            quiz("What is announced?", "A prize", "A test", "A trip", "A holiday", "A new teacher"),
            quiz("How many people are in the room?", "Five", "Three", "Four", "Six"),
            target(2, "Hana"),
            mentioned(0, "Hana"),
            mentioned(4, "Amara"),
            coref(3, "She", "Hana"),
            coref(4, "her", "Hana"),
        ),
    ),
    Scene(
        "cafe-order",
        "cafe",
        6.0,
        (
            Place("Omar", 86, 372, 424),
            Place("Chloé", 262, 344, 420),
            Place("Tom", 412, 366, 426),
            Place("Nora", 566, 338, 420),
        ),
        (
            Line("Omar", "Good morning, what can I bring you?", "Chloé"),
            Line("Chloé", "Two crêpes and a café au lait, please.", "Omar"),
            Line("Tom", "And a tea for Nora.", "Omar"),
            Line("Nora", "Without milk, if you can.", "Omar"),
            Line(None, "Table four is still waiting!"),
            Line("Omar", "One moment, I am coming."),
            Line("Chloé", "Poor man, he never stops.", "Nora"),
        ),
        (
            quiz("What does the woman with the lavender shirt drink?", "Tea", "Coffee", "Milk", "Juice", "Water"),
            quiz("Who takes the orders?", "The man in dark green", "The man in blue", "A woman", "Nobody"),
            target(2, "Omar"),
            target(6, "Nora"),
            mentioned(2, "Nora"),
            coref(6, "he", "Omar"),
        ),
    ),
    Scene(
        "hall-goodbye",
        "hall",
        6.0,
        (
            Place("Luca", 150, 288, 346, ((0.0, 150), (2.7, 150), (4.0, -110))),
            Place("Mara", 290, 274, 344),
            Place("Kenji", 436, 284, 348),
            Place("Amara", 570, 270, 344),
        ),
        (
            Line("Luca", "I have to catch my train.", "Mara"),
            Line("Mara", "Already? It is not even noon.", "Luca"),
            Line("Luca", "Bye, Kenji! See you on Friday.", "Kenji"),
            Line("Kenji", "Have a good trip!", "Luca"),
            Line("Amara", "He forgot his umbrella.", "Mara"),
            Line("Mara", "Run after him, Kenji!", "Kenji"),
            Line("Kenji", "I am on my way.", "Mara"),
        ),
        (
            quiz("Why does the man in stripes leave?", "He has a train", "He is ill", "He is angry", "He is hungry"),
            quiz("What did he forget?", "An umbrella", "A phone", "A hat", "A book", "His lunch"),
            target(0, "Mara"),
            mentioned(2, "Kenji"),
            coref(4, "He", "Luca"),
            coref(5, "him", "Luca"),
        ),
        named=("Luca", "Mara", "Kenji", "Amara"),
    ),
    Scene(
        "birthday-surprise",
        "living room",
        6.0,
        (
            Place("Björn", 76, 304, 348),
            Place("Lily", 206, 208, 346),
            Place("Zoë", 336, 276, 344),
            Place("Nora", 520, 270, 346, ((0.0, 760), (2.4, 760), (3.6, 520))),
        ),
        (
            Line("Zoë", "Quick, hide the cake!", "Björn"),
            Line("Björn", "Lily, turn off the music.", "Lily"),
            Line("Lily", "She is at the door!", "Zoë"),
            Line("Nora", "Hello? Is anybody at home?"),
            Line("Zoë", "Happy birthday, Nora! 🎂", "Nora"),
            Line("Lily", "Happy birthday, grandma!", "Nora", overlap=0.5),
            Line("Nora", "Oh, you are all so sweet.", "Lily"),
        ),
        (
            quiz("Whose birthday is it?", "The woman with grey hair", "The girl", "The man", "The woman in green"),
            quiz("What must be hidden?", "The cake", "The music", "The door", "A dog", "A letter"),
            target(1, "Lily"),
            target(4, "Nora"),
            mentioned(4, "Nora"),
            mentioned(1, "Lily"),
            coref(2, "She", "Nora"),
        ),
    ),
    Scene(
        "studio-drums",
        "studio",
        5.6,
        (Place("Hana", 110, 350, 432), Place("Sam", 330, 372, 440), Place("Viktor", 548, 366, 438)),
        (
            Line("Hana", "The drums were too fast again.", "Sam"),
            Line("Sam", "I follow Viktor, you know.", "Hana"),
            Line("Viktor", "Don't look at me!", "Sam"),
            Line("Hana", "He was late on the chorus, too.", "Viktor"),
            Line("Sam", "One more time, from the top?", "Hana"),
            Line("Viktor", "Fine. Hana, count us in.", "Hana"),
        ),
        (
            quiz("What was too fast?", "The drums", "The song", "The train", "The guitar", "The speech"),
            quiz("Who wears a cap?", "The person in the middle", "The person on the left", "The last", "Nobody"),
            target(0, "Sam"),
            target(4, "Hana"),
            mentioned(1, "Viktor"),
            coref(3, "He", "Sam"),
        ),
    ),
    Scene(
        "station-castle",
        "station",
        6.0,
        (
            Place("Chloé", 72, 256, 344),
            Place("Kenji", 198, 268, 346),
            Place("Amara", 324, 256, 344),
            Place("Viktor", 450, 274, 348),
            Place("Zoë", 574, 258, 344),
        ),
        (
            Line("Chloé", "Excuse me, which way is the castle?", "Viktor"),
            Line("Viktor", "Take the number nine tram.", "Chloé"),
            Line("Zoë", "The nine does not run today.", "Viktor"),
            Line("Kenji", "Then we can walk with Amara.", "Chloé"),
            Line("Amara", "Sure, I live next to it.", "Chloé"),
            Line("Viktor", "She knows every street here.", "Zoë"),
            Line("Chloé", "Merci, that is très gentil!", "Amara"),
        ),
        (
            quiz("Which way do they go?", "They walk", "By tram", "By bus", "By taxi", "By boat"),
            quiz("What colour is the shirt of the man with grey hair?", "Brown", "Teal", "Pink", "Green", "Blue"),
            target(0, "Viktor"),
            target(3, "Chloé"),
            mentioned(3, "Amara"),
            coref(5, "She", "Amara", known=False),
        ),
    ),
    Scene(
        "workshop-robot",
        "workshop",
        6.0,
        (
            Place("Lily", 74, 208, 346),
            Place("Kenji", 206, 288, 348),
            Place("Björn", 424, 304, 348),
            Place("Priya", 566, 272, 344),
        ),
        (
            Line("Lily", "Why does the robot not move?", "Kenji"),
            Line("Kenji", "Priya has the battery.", "Lily"),
            Line("Priya", "It is still charging.", "Lily"),
            Line("Björn", "Use mine, it is full ⚡", "Kenji"),
            Line("Lily", "He is the best!", "Priya"),
            Line("Kenji", "Careful, Lily, stand back.", "Lily"),
            Line("Priya", "Ready? Push the button.", "Kenji"),
        ),
        (
            quiz("What does the robot lack?", "A battery", "An arm", "A wheel", "A name", "A button"),
            quiz("Who stands on the right?", "A woman in purple", "A man in orange", "A girl in blue", "A man in teal"),
            target(3, "Kenji"),
            target(6, "Kenji", known=False),
            mentioned(1, "Priya"),
            mentioned(5, "Lily"),
            coref(4, "He", "Björn"),
        ),
    ),
    Scene(
        "rooftop-jupiter",
        "rooftop",
        5.6,
        (Place("Sam", 104, 300, 350), Place("Amara", 318, 280, 346), Place("Mara", 544, 282, 346)),
        (
            Line("Sam", "Is that bright one a planet?", "Amara"),
            Line("Amara", "Yes, that is Jupiter.", "Sam"),
            Line("Mara", "Sam, hand me the telescope.", "Sam"),
            Line("Sam", "Amara is still using it.", "Mara"),
            Line("Amara", "Here, she can have it now.", "Sam"),
            Line("Mara", "Wow, I can see four moons!", "Amara"),
        ),
        (
            quiz("What do they look at?", "Jupiter", "A plane", "The Moon", "Fireworks", "A bird"),
            quiz("When does this happen?", "At night", "In the morning", "At noon", "In the afternoon"),
            target(1, "Sam"),
            target(5, "Amara"),
            mentioned(2, "Sam"),
            mentioned(3, "Amara"),
            coref(4, "she", "Mara"),
        ),
        window=(0.4, 5.2),
    ),
    Scene(
        "library-atlas",
        "library",
        5.6,
        (
            Place("Luca", 80, 286, 348),
            Place("Priya", 226, 268, 344),
            Place("Inés", 386, 266, 344),
            Place("Omar", 562, 298, 348),
        ),
        (
            Line("Luca", "Psst, have you got the atlas?", "Priya"),
            Line("Priya", "Inés took it an hour ago.", "Luca"),
            Line("Inés", "I left it on the cart.", "Luca"),
            Line("Omar", "Quiet, please!", "Luca"),
            Line("Priya", "He is much too loud.", "Inés"),
            Line("Inés", "Luca always is.", "Priya"),
        ),
        (
            quiz("What is the man in stripes looking for?", "An atlas", "A pen", "A seat", "A map", "The exit"),
            quiz("Who asks for silence?", "The man on the right", "The man on the left", "A woman", "A child"),
            target(0, "Priya"),
            mentioned(1, "Inés"),
            mentioned(5, "Luca"),
            coref(4, "He", "Luca"),
        ),
        split="validation",
    ),
    Scene(
        "gallery-paintings",
        "gallery",
        5.6,
        (Place("Tom", 108, 300, 348), Place("Nora", 322, 274, 346), Place("Hana", 546, 272, 344)),
        (
            Line("Tom", "Which one is yours, Hana?", "Hana"),
            Line("Hana", "The blue one behind Nora.", "Tom"),
            Line("Nora", "This? I thought a master painted it!", "Hana"),
            Line("Tom", "She sold three of them today.", "Nora"),
            Line("Hana", "And he bought the first one.", "Nora"),
            Line("Nora", "Then I will take the last.", "Hana"),
        ),
        (
            quiz("Who painted the blue picture?", "The woman in coral", "The man in blue", "An old master", "No one"),
            quiz("How many paintings were sold today?", "Three", "One", "Two", "Five", "None"),
            target(2, "Hana"),
            target(3, "Nora"),
            mentioned(1, "Nora"),
            coref(3, "She", "Hana"),
            coref(4, "he", "Tom"),
        ),
        split="validation",
        named=("Tom", "Nora", "Hana"),
    ),
    Scene(
        "market-figs",
        "market",
        6.0,
        (
            Place("Omar", 92, 300, 348),
            Place("Inés", 250, 270, 346),
            Place("Luca", 408, 288, 348),
            Place("Chloé", 562, 272, 346),
        ),
        (
            Line("Omar", "Fresh figs, señora, try one!", "Inés"),
            Line("Inés", "How much is a kilo?", "Omar"),
            Line("Omar", "Six for you, eight for Luca.", "Inés"),
            Line("Luca", "Hey, why do I pay more?", "Omar"),
            Line("Chloé", "Because you never say please.", "Luca"),
            Line("Inés", "He is only joking, querido.", "Luca"),
            Line("Luca", "Then eight figs, s'il vous plaît 😄", "Omar"),
        ),
        (
            quiz("What is sold here?", "Figs", "Fish", "Bread", "Flowers", "Cheese"),
            quiz("What colour is the shirt of the woman on the right?", "Magenta", "Yellow", "White", "Green", "Blue"),
            target(3, "Omar"),
            target(4, "Luca"),
            mentioned(2, "Luca"),
            coref(5, "He", "Omar"),
        ),
        split="validation",
        named=("Omar",),
        window=(0.0, 6.0),
    ),
)
