"""The security question: one of Okta's or one of the user's own (docs/protocol.md, section 4.6)."""

from okta_devorg.state.users import Enrollment
from okta_devorg.wire.ion import Json, form, message

# Key and text of the questions to choose from.
PREDEFINED = {
    "disliked_food": "What is the food you least liked as a child?",
    "name_of_first_plush_toy": "What is the name of your first stuffed animal?",
    "first_award": "What did you earn your first medal or award for?",
    "favorite_security_question": "What is your favorite security question?",
    "favorite_toy": "What is the toy/stuffed animal you liked the most as a kid?",
    "first_computer_game": "What was the first computer game you played?",
    "favorite_movie_quote": "What is your favorite movie quote?",
    "first_sports_team_mascot": "What was the mascot of the first sports team you played on?",
    "first_music_purchase": "What music album or song did you first purchase?",
    "favorite_art_piece": "What is your favorite piece of art?",
    "grandmother_favorite_desert": "What was your grandmother's favorite dessert?",
    "first_thing_cooked": "What was the first thing you learned to cook?",
    "childhood_dream_job": "What was your dream job as a child?",
    "first_kiss_location": "Where did you have your first kiss?",
    "place_where_significant_other_was_met": "Where did you meet your spouse/significant other?",
    "favorite_vacation_location": "Where did you go for your favorite vacation?",
    "new_years_two_thousand": "Where were you on New Year's Eve in the year 2000?",
    "favorite_speaker_actor": "Who is your favorite speaker/orator?",
    "favorite_book_movie_character": "Who is your favorite book/movie character?",
    "favorite_sports_player": "Who is your favorite sports player?",
}
_ANSWER: Json = {"name": "answer", "label": "Answer", "required": True}
# The two options of the `credentials` field.
CHOICES: list[Json] = [
    {
        "label": "Choose a security question",
        "value": {
            "form": form(
                [
                    {
                        "name": "questionKey",
                        "type": "string",
                        "label": "Choose a security question",
                        "required": True,
                        "options": [{"label": text, "value": key} for key, text in PREDEFINED.items()],
                    },
                    _ANSWER,
                ]
            )
        },
    },
    {
        "label": "Create my own security question",
        "value": {
            "form": form(
                [
                    {"name": "questionKey", "required": True, "value": "custom", "mutable": False},
                    {"name": "question", "label": "Create a security question", "required": True},
                    _ANSWER,
                ]
            )
        },
    },
]


def question_key(enrollment: Enrollment) -> str:
    """Return the key of the question that the user has chosen, `custom` for one of the user's own."""
    return next((key for key, text in PREDEFINED.items() if text == enrollment.question), "custom")


def enrolled_question(enrollment: Enrollment) -> Json:
    """Return the question to answer, for `contextualData` of a challenge."""
    return {"enrolledQuestion": {"questionKey": question_key(enrollment), "question": enrollment.question}}


def contextual_data() -> Json:
    """Return the questions to choose from, for `contextualData` of an enrollment."""
    questions = [{"questionKey": key, "question": text} for key, text in PREDEFINED.items()]
    return {"questionKeys": [*PREDEFINED, "custom"], "questions": questions}


def question_problems(question: str, answer: str) -> dict[str, list[Json]]:
    """Return what is wrong with a new question and answer: messages by the path of their field."""
    problems: dict[str, list[Json]] = {}
    if not question:
        problems["credentials.question"] = [message("This field is required", "api.error.field_required")]
    if len(answer) < 4:
        too_short = "The security question answer must be at least 4 characters in length"
        problems["credentials.answer"] = [message(too_short, "securityQuestion.answer.tooShort.arg", [4])]
    elif answer.casefold() in question.casefold():
        part = "The security question answer must not be part of the question"
        problems["credentials.answer"] = [message(part, "securityQuestion.answer.partOfQuestion")]
    elif "<" in answer or ">" in answer:
        problems["credentials.answer"] = [message("Tags are not allowed", "tagsNotAllowed")]
    return problems
