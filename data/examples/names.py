"""Given and family names for patients who do not exist, from many languages so that many tokens occur."""

_GIVEN = """
Aaliyah Abel Ada Adrian Agnes Ahmed Aiko Alan Alejandra Alice Amara Amir Ana Andre Anita Anton Aoife Arjun
Astrid Aurora Ayesha Beatriz Ben Bianca Boris Bridget Bruno Caleb Camila Carla Cecil Chen Chidi Clara Connor
Dalia Damian Daria Deepa Derek Diego Dimitri Dolores Donna Edith Eduardo Eileen Elena Elijah Emeka Emma Enzo
Erik Esther Eun Fatima Felix Fiona Florence Francis Freya Gabriel Gemma George Gloria Grace Gustavo Hadiya
Hannah Harold Haruto Hassan Helen Hiro Ian Ibrahim Ida Imani Ines Ingrid Irene Isaac Ivan Jack Jamal Janet
Jasper Javier Joan Jonas Joyce Juan Kadir Karen Kavita Keiko Kenji Khadija Kofi Kwame Lara Lars Leila Leo
Lin Linda Lorenzo Lucia Luis Magda Malik Marcus Margaret Maria Mei Miguel Mina Mohammed Nadia Naomi Nikhil
Nina Noah Nora Obinna Olga Oliver Omar Oscar Pablo Patricia Paul Pedro Petra Priya Quentin Rachel Rafael
Rania Raymond Rita Rosa Ruth Sadia Samuel Sanjay Sara Sean Selma Simon Sofia Stefan Sunita Sven Tamara Tariq
Teresa Thomas Tomasz Uma Ursula Valentina Vera Victor Vikram Walter Wanda Wei Wilma Xavier Yasmin Yuki Yusuf
Zahra Zoe
"""

_FAMILY = """
Abbott Adeyemi Ahmad Alvarez Andersen Aoki Baker Banerjee Barros Becker Bianchi Blackwood Boateng Brennan
Byrne Campbell Carvalho Castillo Chandra Chavez Chowdhury Clarke Cohen Costa Cruz Dahl Davies Delgado Desai
Diaz Dubois Dunne Eriksen Espinoza Farah Fernandes Fischer Fitzgerald Flores Fournier Fujita Gallagher
Garcia Georgiou Ghosh Gomez Goldberg Gupta Haddad Hansen Harris Hernandez Hoffman Holloway Hossain Hughes
Ibarra Idowu Ito Ivanova Jackson Jansen Jensen Johansson Joshi Kamara Kaplan Kaur Keller Kelly Khan Kim
Kowalski Kumar Lambert Larsen Laurent Lee Lindqvist Lopez Lund Mahmoud Marino Martinez Mbeki McCarthy Mehta
Mendes Meyer Mishra Moreau Morgan Murphy Nakamura Nasser Navarro Ng Nguyen Nielsen Novak Nwosu O'Brien
O'Connor Okafor Oliveira Olsen Ortiz Osei Owens Park Patel Pereira Petrov Pham Popescu Quinn Rahman Ramirez
Rao Reyes Richter Rivera Roberts Romano Rossi Ruiz Saito Salazar Santos Sato Schmidt Schultz Sharma Silva
Singh Sokolov Stewart Suzuki Svensson Takahashi Tanaka Taylor Thompson Torres Tran Turner Ueda Vargas
Vasquez Vega Vogel Wagner Walsh Wang Weber Williams Wong Wood Wright Yamada Yang Yilmaz Young Zhang
Zimmerman
"""

GIVEN: tuple[str, ...] = tuple(_GIVEN.split())
FAMILY: tuple[str, ...] = tuple(_FAMILY.split())
