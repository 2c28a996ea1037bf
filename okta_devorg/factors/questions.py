"""The security question authenticator: predefined questions and a question of one's own
(docs/protocol.md, section 4.6).
"""

from okta_devorg.state.users import Enrollment
from okta_devorg.wire.ion import Json, form

PREDEFINED = {
    "disliked_food": "What is the food you least liked as a child?",
    "name_of_first_plush_toy": "What is the name of your first stuffed animal?",
    "first_award": "What did you earn your first medal or award for?",
    "favorite_security_question": "What is your favorite security question?",
    "favorite_toy": "What is the toy/stuffed animal you liked the most as a kid?",
    "first_thing_bought": "What was the first thing you bought?",
    "favorite_vacation_location": "Where did you have your favorite vacation?",
}
ANSWER: Json = {"name": "answer", "label": "Answer", "required": True}
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
                    ANSWER,
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
                    ANSWER,
                ]
            )
        },
    },
]


def key_of(enrollment: Enrollment) -> str:
    return next((key for key, text in PREDEFINED.items() if text == enrollment.question), "custom")


def enrolled_question(enrollment: Enrollment) -> Json:
    return {"enrolledQuestion": {"questionKey": key_of(enrollment), "question": enrollment.question}}


def contextual_data() -> Json:
    questions = [{"questionKey": key, "question": text} for key, text in PREDEFINED.items()]
    return {"questionKeys": [*PREDEFINED, "custom"], "questions": questions}
